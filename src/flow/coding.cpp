// Step 8, behind a hit: the coding it would have liked, and a smaller one where it is often sent.
//
// Concurrency · A job runs on a compressor thread and puts another form of the same response in the place of the entry,
// with the same fence: a mark that comes meanwhile holds for it as well. The hit goes out as it is.

#include "flow/shape.hpp"
#include "flow/walk.hpp"

#include <asio/post.hpp>

namespace etage::flow {

/// Called on the hit path; posts, and so allocates, once per entry.
void Walk::want_coding(const base::Ref<const store::Entry>& entry, http::Coding coding) {
    const store::EntryParts& parts = entry->parts();
    const bool again = parts.tried.has(coding);
    if (again && (entry->representation(coding).strong || entry->count_coded() < rooms_.limits.hot_hits_min)) return;
    if (!entry->begin_coding()) return;
    rooms_.fills_under_way.fetch_add(1, std::memory_order_relaxed);
    asio::post(rooms_.compressors, [this, keeper = rooms_.keeper.lock(), entry, coding, again] {
        try {
            rooms_.store.exchange(*entry, with_coding(*entry, coding, again));
            rooms_.metrics.add(base::Counter::compressions);
        } catch (const std::bad_alloc&) {  // then it stays as it is
        }
        rooms_.fills_under_way.fetch_sub(1, std::memory_order_release);
    });
}

}  // namespace etage::flow
