#pragma once
// What is to be forgotten, by name, and the port to the log that remembers it (DESIGN §4, rules 6 and 7).
//
// Names travel, not hashes: a log can be read by people and written by other programs, and every instance works out for
// itself which tags a name means to it (a URL has equals under No-Vary-Search that only some instances know).

#include "coherence/engine.hpp"

#include <etage/error.hpp>
#include <etage/sequence.hpp>
#include <etage/time.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::flow {

struct Rooms;

struct Target {
    enum class Kind : std::uint8_t {
        tag,         // a surrogate key
        key,         // as `explain` shows it: key_name()
        url,         // in the form of uri_of(): every variant, and its equals
        prefix,      // "http://host/path" or "/path": everything below
        host,        // everything of it
        group,       // group_text() of RFC 9875
        everything,  // without text
    };
    Kind kind = Kind::tag;
    std::string text;
    friend auto operator<=>(const Target&, const Target&) = default;
};

/// What a person or another program wrote, in the form that tags are made from; nothing when it names nothing of this
/// kind.
std::optional<std::string> target_text(Target::Kind kind, std::string_view text);

struct Invalidation {
    std::vector<Target> targets;
    coherence::Softness softness = coherence::Softness::hard;
};

/// The tags that are marked. Thread-safe.
std::vector<TagHash> tags_of(const Rooms& rooms, const Invalidation& invalidation);

/// tags_of() with its rooms, as compose gives it to a log. Thread-safe.
using TagsOf = std::function<std::vector<TagHash>(const Invalidation&)>;

/// Who has applied a record (rule 7).
struct Receipt {
    std::uint64_t confirmed = 1;  // this instance included
    std::uint64_t live = 1;       // whose lease has not lapsed
};

/// Thread-safe; coroutines run on the caller's executor. Outlives the walk. Counts what it records
/// (Counter::invalidations).
class InvalidationLog {
public:
    virtual ~InvalidationLog() = default;

    /// Rule 6: applied here at once, then recorded. The position, the token: from now on nothing older is served here.
    /// Error not_recorded: it holds here, it is retried for the others, and nothing may be acknowledged.
    virtual asio::awaitable<Result<Sequence>> invalidate(Invalidation invalidation, Instant deadline) = 0;

    /// Rule 7: waits until every live instance has applied the position or its lease has lapsed, at most until the
    /// deadline; how it stands then.
    virtual asio::awaitable<Receipt> receipt(Sequence position, Instant deadline) = 0;

    /// Rule 6, for a read with a token: waits until this instance has applied it; false at the deadline.
    virtual asio::awaitable<bool> reach(Sequence token, Instant deadline) = 0;

    /// No other instance appends: positions follow each other without holes.
    virtual bool is_alone() const noexcept = 0;
};

}  // namespace etage::flow
