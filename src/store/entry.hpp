#pragma once
// A stored response: immutable from the moment it is on a shelf, shared by counting, bytes ready to send.
//
// Concurrency · Everything is const but atomics that are only hints.
// Lifetime · Views handed out (head, body) live as long as a Ref<const Entry> is held.

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "http/message.hpp"
#include "http/negotiation.hpp"
#include "http/range.hpp"
#include "http/stamps.hpp"

#include <etage/sequence.hpp>

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace etage::store {

/// One content coding of an entry, with its heads written out once: status line and fields, up to but without the
/// fields that change per answer (Age, Cache-Status, …) and without the empty line.
struct Representation {
    http::Coding coding = http::Coding::identity;
    std::string etag;                   // as the client sees it; may be empty
    std::string head;                   // of the full answer, Content-Length included
    std::string head_not_modified;      // of a 304
    base::Ref<const base::Bytes> body;  // null for a status without content
    bool strong = false;                // as small as it gets: not to be made again
};

/// What made an entry; the flow fills it in, then freezes it into an Entry.
struct EntryParts {
    base::Hash128 key_hash;
    std::string key;            // the full key, compared on a hit
    std::string secondary_key;  // of http::append_secondary_key for the shelf's Vary
    std::string search_key;     // of policy::make_search_key after its No-Vary-Search; empty: for its own URI only
    Sequence fence = 0;         // rule 1: taken before the fill began
    std::vector<TagHash> tags;  // all of them, implicit ones included; sorted, unique
    http::Stamps stamps;
    std::uint32_t route_revision = 0;
    bool for_authorized = false;  // may answer a request with credentials (RFC 9111 §3.5)
    int status = 200;
    std::optional<http::Part> part;  // of a 206: which bytes of how many the identity content is
    http::Fields fields;             // as the origin sent them, hop-by-hop fields removed: for revalidation
    std::string etag;           // the origin's validator or the one made here; others are made from it; may be empty
    bool etag_is_ours = false;  // then it is no validator for the origin
    std::string last_modified;  // as sent; may be empty
    http::CodingSet codings;
    bool codable = false;                           // worth a coding: others may be made of the identity content
    http::CodingSet tried{};                        // the codings that were; what is not in `codings` was not smaller
    http::Coding sent_in = http::Coding::identity;  // the representation that holds what the origin sent
    std::optional<http::Coding> undecoded{};  // the identity one has this coding all the same: too much, or damaged
    std::array<Representation, http::coding_count> representations;  // by Coding; valid where `codings` has it
};

class Entry : public base::RefCounted {
public:
    explicit Entry(EntryParts parts);
    /// Filled in where it stays: what a remote store gives is made for one hit, and a move of all parts is felt there.
    template <std::invocable<EntryParts&> Fill>
    explicit Entry(Fill&& fill) {
        std::forward<Fill>(fill)(parts_);
        settle();
    }

    const EntryParts& parts() const noexcept { return parts_; }
    const Representation& representation(http::Coding c) const noexcept {
        return parts_.representations[static_cast<std::size_t>(c)];
    }
    /// The one that holds what the origin sent.
    const Representation& as_sent() const noexcept { return representation(parts_.sent_in); }
    /// Heap bytes, overhead included: what memory.limit counts.
    std::size_t footprint() const noexcept { return footprint_; }

    /// Fast path of rule 2: the position at which this entry was last found valid. Relaxed; only a hint upwards.
    Sequence validated_at() const noexcept { return validated_at_.load(std::memory_order_relaxed); }
    void note_validated(Sequence s) const noexcept { validated_at_.store(s, std::memory_order_relaxed); }

    /// True for the one caller that may start a background refresh; undone by end_refresh().
    bool begin_refresh() const noexcept { return !refreshing_.exchange(true, std::memory_order_acquire); }
    void end_refresh() const noexcept { refreshing_.store(false, std::memory_order_release); }

    /// True for the one caller that may have a coding made; what comes of it is another entry.
    bool begin_coding() const noexcept { return !coding_.exchange(true, std::memory_order_acquire); }
    /// How often a coding was sent that could be made smaller. Wraps; only a hint.
    std::uint32_t count_coded() const noexcept { return coded_.fetch_add(1, std::memory_order_relaxed) + 1; }

private:
    void settle();

    EntryParts parts_;
    std::size_t footprint_ = 0;
    mutable std::atomic<Sequence> validated_at_{0};
    mutable std::atomic<bool> refreshing_{false};
    mutable std::atomic<bool> coding_{false};
    mutable std::atomic<std::uint32_t> coded_{0};
};

}  // namespace etage::store
