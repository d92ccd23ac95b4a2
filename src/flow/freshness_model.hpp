#pragma once
// RFC 9111 §4 as a naive reader would write it down, and nothing of src/policy: what one origin and one URI come to.
// The walk is compared with it (freshness_property_test.cpp). Whole seconds; an origin that answers at once. For tests
// only.

#include <algorithm>
#include <cstdint>
#include <optional>

namespace etage::flow::testing {

/// What a response says of its own freshness; dates are seconds of the calendar.
struct Said {
    std::optional<std::int64_t> max_age, s_maxage, swr, sie;
    bool no_cache = false, no_store = false, must_revalidate = false, proxy_revalidate = false;
    std::optional<std::int64_t> expires, age, date, modified;
    bool tagged = false;  // has an ETag

    bool has_cache_control() const {
        return max_age || s_maxage || swr || sie || no_cache || no_store || must_revalidate || proxy_revalidate;
    }
    bool has_validator() const { return tagged || modified; }
    bool is_explicit() const { return max_age || s_maxage || expires; }
    /// Law of the house beside §3: what can neither be fresh nor validated is of no use.
    bool is_storable() const {
        if (no_store) return false;
        return has_validator() || (is_explicit() && !no_cache);
    }
};

struct Wish {
    std::optional<std::int64_t> max_age, max_stale, min_fresh, sie;
    bool any_stale = false, no_cache = false, only_if_cached = false;
};

enum class OriginIs : std::uint8_t { up, answering_503, gone };

struct Kept {
    Said said;
    int version = 0;
    std::int64_t since = 0;  // when it arrived, or was validated last

    std::int64_t age(std::int64_t now) const {
        const std::int64_t apparent = std::max<std::int64_t>(0, since - said.date.value_or(since));
        return std::max(apparent, said.age.value_or(0)) + now - since;  // §4.2.3
    }
    std::int64_t lifetime() const {  // §4.2.1
        if (said.s_maxage) return *said.s_maxage;
        if (said.max_age) return *said.max_age;
        const std::int64_t date = said.date.value_or(since);
        if (said.expires) return std::max<std::int64_t>(0, *said.expires - date);
        if (said.modified) return std::clamp<std::int64_t>((date - *said.modified) / 10, 0, 86'400);  // §4.2.2
        return 0;
    }
    std::int64_t staleness(std::int64_t now) const { return age(now) - lifetime(); }
    bool is_fresh(std::int64_t now) const { return lifetime() > age(now); }
    /// §4.2.4, §5.2.2.2, §5.2.2.8, §5.2.2.10
    bool never_stale() const { return said.must_revalidate || said.proxy_revalidate || said.s_maxage; }
};

enum class Use : std::uint8_t { no, yes, while_revalidating };

/// May it answer without asking?
inline Use use_without_asking(const Kept& kept, const Wish& wish, std::int64_t now) {
    if (kept.said.no_cache || wish.no_cache) return Use::no;
    if (wish.max_age && (kept.age(now) > *wish.max_age || *wish.max_age == 0)) return Use::no;
    if (wish.min_fresh && kept.lifetime() - kept.age(now) < *wish.min_fresh) return Use::no;
    if (kept.is_fresh(now)) return Use::yes;
    if (kept.never_stale()) return Use::no;
    const std::int64_t staleness = kept.staleness(now);
    // RFC 5861 §3; §5.2.1.1: with max-age nothing stale is wished, unless max-stale is there.
    if (kept.said.swr.value_or(0) > 0 && staleness <= *kept.said.swr && !wish.max_age && !wish.min_fresh)
        return Use::while_revalidating;
    if (wish.max_stale ? staleness <= *wish.max_stale : wish.any_stale) return Use::yes;
    return Use::no;
}

/// May it answer because the origin failed (RFC 5861 §4: regardless of other freshness information)?
inline bool use_on_failure(const Kept& kept, const Wish& wish, OriginIs origin, std::int64_t now) {
    if (kept.said.no_cache || wish.no_cache) return false;
    if (kept.is_fresh(now)) return true;
    if (kept.never_stale()) return false;
    const std::int64_t staleness = kept.staleness(now);
    if (wish.max_stale ? staleness <= *wish.max_stale : wish.any_stale) return true;
    const std::int64_t window = std::max(kept.said.sie.value_or(0), wish.sie.value_or(0));
    if (window > 0) return staleness <= window;
    return origin == OriginIs::gone && staleness <= 86'400;  // §4.2.4: disconnected; the bound is the house's
}

/// §3.2: the fields of a 304 in the place of the stored ones; Date and Age are its own.
inline Said updated(Said stored, const Said& update) {
    Said next = update;
    next.tagged = stored.tagged;
    if (!update.has_cache_control()) {
        next = stored;
        next.age = update.age;
        next.date = update.date;
        if (update.modified) next.modified = update.modified;
    }
    if (!update.modified) next.modified = stored.modified;
    next.expires = update.expires ? update.expires : stored.expires;
    return next;
}

}  // namespace etage::flow::testing
