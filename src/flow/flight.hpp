#pragma once
// One fetch that many wait for (step 5).
//
// Concurrency · The table's mutex guards membership only. A flight lands once, under its own mutex; afterwards its
// outcome is immutable, but for `exclusive`, which the one who started it takes.
// Interleavings that bite · (1) The entry is on its shelf before the flight leaves the table, so whoever comes in
// between finds one of the two. (2) A request that comes after an invalidation must not be answered by a fill that
// began before it (rule 4): joining asks judge() about the tags known from the request, and after landing the follower
// asks again about those learned from the response. (3) Whoever is refused takes the flight's place in the table; the
// old flight lands for its own followers and then leaves the table only if it is still the one there. Lifetime · The
// fetch belongs to the flight; clients may leave.

#include "flow/origin.hpp"
#include "flow/shared_body.hpp"
#include "http/vary.hpp"
#include "net/event.hpp"
#include "store/entry.hpp"

#include <etage/error.hpp>
#include <etage/sequence.hpp>
#include <etage/verdict.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace etage::flow {

/// A response whose head is known and whose content is still coming.
struct Arriving {
    int status = 200;
    http::Fields fields;  // as the origin sent them
    std::optional<std::uint64_t> content_length;
    std::shared_ptr<SharedBody> body;
};

/// How a flight ended.
struct Outcome {
    enum class Kind : std::uint8_t {
        entry,          // landed whole; stored, or to be shared by those who wait now only (an error of the origin)
        arriving,       // landed, content streaming
        not_shareable,  // `exclusive` for the one who started it; all others fetch alone, at once
        failed,         // `error`
    };
    Kind kind = Kind::failed;
    base::Ref<const store::Entry> entry;
    std::shared_ptr<const Arriving> arriving;
    std::optional<OriginResponse> exclusive;
    base::Ref<const store::Entry> fallback;  // what there is, stale, should the origin have failed; or null
    Error error;
    std::string secondary_key;  // what the response was selected by, and …
    http::VaryNames vary;       // … on which fields
    std::vector<TagHash> tags;  // all of them
    http::Fields withheld;      // of the response, for the one who started the flight alone (RFC 9111 §5.2.2.7)
    int status = 0;             // what the origin said
    bool stored = false;
    bool from_remote = false;  // found in the shared tier: nobody asked the origin
    Sequence fence = 0;        // what it is judged by: that of the flight, or of what was found
    Detail detail = Detail::none;
};

class Flight {
public:
    Flight(std::string key, Sequence fence, std::vector<TagHash> request_tags)
        : key_(std::move(key)), fence_(fence), request_tags_(std::move(request_tags)) {}

    const std::string& key() const noexcept { return key_; }
    Sequence fence() const noexcept { return fence_; }
    const std::vector<TagHash>& request_tags() const noexcept { return request_tags_; }

    void land(Outcome outcome);
    bool has_landed() const noexcept { return landed_.load(std::memory_order_acquire); }
    asio::awaitable<bool> landed_by(Instant deadline);
    /// Precondition: has_landed().
    const Outcome& outcome() const noexcept { return outcome_; }
    /// For the one who started it, once. Precondition: landed as not_shareable.
    OriginResponse take_exclusive() { return std::move(*outcome_.exclusive); }

private:
    std::string key_;
    Sequence fence_;
    std::vector<TagHash> request_tags_;
    std::atomic<bool> landed_{false};
    Outcome outcome_;
    net::Event event_;
};

/// The flights under way, by full key (primary and secondary).
class FlightTable {
public:
    struct Boarding {
        std::shared_ptr<Flight> flight;
        bool started = false;  // the caller must fly it
    };

    /// Joins the flight under this key if `may_join` likes it, else puts a new one, made by `make`, in its place.
    Boarding board(const std::string& key, const std::function<bool(const Flight&)>& may_join,
                   const std::function<std::shared_ptr<Flight>()>& make);

    /// Takes the flight out if it is still the one under its key.
    void leave(const Flight& flight);

    std::size_t size() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Flight>> flights_;  // ordered: clients choose the keys, and could collide
};

}  // namespace etage::flow
