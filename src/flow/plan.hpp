#pragma once
// What a flight needs to know that belongs to no client, and a response beside the request it answers. Of the walk
// alone.

#include "flow/recode.hpp"
#include "flow/walk.hpp"
#include "http/cache_control.hpp"
#include "http/vary.hpp"
#include "policy/storable.hpp"

#include <optional>
#include <string>

namespace etage::flow {

struct Walk::Plan {
    Plan(const Visit& visit) : asked(visit.request, visit.scheme) {}

    /// request_uri() of it.
    std::string uri() const;

    Asked asked;
    std::string key;  // primary
    base::Hash128 key_hash;
    policy::Match match;  // its captures borrow from asked
    bool per_user = false;
    base::Ref<const store::Entry> validate;    // to ask the origin about, or null
    base::Ref<const store::Entry> refreshing;  // whose refresh this is, or null
    base::Ref<const store::Entry> fallback;    // what is there should the origin fail, or null
    base::Ref<const store::Entry> held;        // what `request` asks the rest of, or null
    OriginRequest whole;                       // what to ask when that comes to nothing
    bool in_part = false;                      // the client's Range is asked of the origin
    std::optional<http::Part> part;            // what the answer is, when it is a part
    OriginRequest request;
    std::string name;                           // in the shared tier
    bool has_credentials = false;               // the request that started it
    bool is_refused = false;                    // that request's Cache-Control: what the shared tier has is not for it
    std::shared_ptr<store::RemoteClaim> claim;  // this instance asks the origin for all
    bool remote_missed = false;                 // the shared tier said that it has nothing: it may be given something
    bool remote_away = false;
    asio::any_io_executor executor;
    Now request_time{};
    Now response_time{};
};

/// A response beside the request it answers, with both Cache-Controls parsed: what the rules look at.
struct Walk::Ruling {
    Ruling(const Plan& plan, const OriginResponse& response)
        : request_cc(http::parse_request_cache_control(plan.asked.head().fields)),
          response_cc(http::parse_response_cache_control(response.fields)),
          exchange{plan.asked.head(), request_cc,       response.status, response.fields,
                   response_cc,       plan.match.route, plan.per_user} {}

    http::RequestCacheControl request_cc;
    http::ResponseCacheControl response_cc;
    policy::Exchange exchange;  // borrows the two above, the plan and the response
};

/// Of the request: what was not marked as shared is not for it (RFC 9111 §3.5).
bool has_credentials(const Visit& visit) noexcept;

/// What a flight is called: those who ask for the same of the same share it.
inline std::string flight_name(const Visit& visit) { return visit.key + visit.notes.part; }

/// Parts have shelves of their own, so that none ever stands where a whole does (law 10).
inline std::string part_key(std::string_view primary) { return "part of " + std::string(primary); }

/// Fills never ask for a coding, so no answer depends on what a client would take: one that says it varies on
/// Accept-Encoding speaks of codings that are made here, or taken away. Only what stays as the origin encoded it is
/// selected by it.
inline http::VaryNames selecting_fields(http::FieldSpan response) {
    const bool stays = http::contains(response, http::FieldId::content_encoding) && !removable_coding(response);
    return http::parse_vary(response, !stays);
}

}  // namespace etage::flow
