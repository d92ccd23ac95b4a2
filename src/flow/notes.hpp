#pragma once
// What the walk has found out about one request, from step to step.

#include "flow/equivalents.hpp"
#include "flow/gate.hpp"
#include "http/cache_control.hpp"
#include "policy/key.hpp"
#include "policy/route.hpp"
#include "store/entry.hpp"

#include <etage/sequence.hpp>
#include <etage/verdict.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace etage::flow {

/// Where answer_now() stopped, when it could not answer.
enum class Stop : std::uint8_t {
    unrouted,       // step 1: handlers only, and none matches
    limits_page,    // step 1: what is left to the client
    refused,        // step 2: a limit
    limits,         // step 2: only Redis knows
    forward_alone,  // step 3: not looked up, or not to be queued
    behind,         // step 3: its token is ahead of this instance, which may catch up
    query,          // step 3: its content is part of its name, and is not here yet
    decode,         // step 4: the entry is fresh, and in a coding that this client does not take
    stale_while,    // step 4: the entry may be served while it is refreshed
    head,           // step 4: a HEAD that found a stale entry
    fill,           // step 4: nothing usable: fetch, together with whoever asks the same
};

/// Borrows from the request and from the route table.
struct Notes {
    Stop stop = Stop::fill;
    policy::Match match;
    GatePass gate;
    Passage passage = Passage::open;
    bool is_paid = false;  // the limits on misses, too
    policy::Identity identity;
    http::RequestCacheControl request_cc;
    base::Hash128 key_hash;
    std::size_t key_bytes = 0;            // of visit.key; what follows it there is the secondary key
    base::Ref<const store::Entry> entry;  // found, not usable as it is: to validate, or to fall back on
    std::string part;                     // the range that is asked of the origin as it came, in normal form; or none
    base::Ref<const store::Entry> held;   // a part of what is asked for whole: the rest is enough
    std::unique_ptr<const Equivalent> equivalent;  // when what was found is stored for another URI; or null
    base::Ref<const base::Bytes> content;          // of a QUERY: part of the key, and of what a fill sends
    Sequence token = 0;                            // Etage-Min-Seq; 0: none
    Forward forward = Forward::none;
    Detail detail = Detail::none;

    /// The identity is part of the key.
    bool per_user() const noexcept {
        return identity.present && match.route != nullptr && match.route->policy.cache.per == Per::user;
    }
};

}  // namespace etage::flow
