#include "flow/local_log.hpp"

#include <utility>

namespace etage::flow {

LocalLog::LocalLog(coherence::Engine& engine, base::Metrics& metrics, TagsOf tags_of)
    : engine_(engine), metrics_(metrics), tags_of_(std::move(tags_of)) {}

asio::awaitable<Result<Sequence>> LocalLog::invalidate(Invalidation invalidation, Instant) {
    const std::vector<TagHash> tags = tags_of_(invalidation);
    metrics_.add(base::Counter::invalidations);
    co_return engine_.invalidate({tags, invalidation.softness});
}

asio::awaitable<Receipt> LocalLog::receipt(Sequence, Instant) { co_return Receipt{1, 1}; }

asio::awaitable<bool> LocalLog::reach(Sequence token, Instant) { co_return engine_.caught_up(token); }

}  // namespace etage::flow
