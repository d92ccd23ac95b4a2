#include "flow/gate_fields.hpp"

#include "http/problem.hpp"

#include <algorithm>

namespace etage::flow {

namespace {

/// A limit that cannot say when: something is in flight, or Redis is away.
constexpr std::int64_t soon_s = 1;
/// Beyond it the answer is never.
constexpr std::int64_t late_s = 366LL * 86'400;

std::int64_t whole_seconds_up(Duration d) noexcept {
    return std::chrono::ceil<std::chrono::seconds>(std::max(d, Duration::zero())).count();
}

std::int64_t signed_of(std::uint64_t n) noexcept {  // RFC 9651 §3.3.1: fifteen digits
    return static_cast<std::int64_t>(std::min<std::uint64_t>(n, 999'999'999'999'999));
}

bool says_when(const Ticket& ticket) noexcept { return !ticket.limit->is_concurrency(); }

template <class F>
void append_list(http::FieldTail& tail, std::string_view name, const GatePass& pass, F&& append_member) noexcept {
    tail.begin(name);
    bool is_first = true;
    for (const Ticket& ticket : pass.tickets()) {
        if (!std::exchange(is_first, false)) tail.text(", ");
        append_member(ticket);
    }
    tail.end();
}

/// What an older client should look at: what stops it, or would stop it first.
const Ticket& tightest(const GatePass& pass) noexcept {
    if (const Ticket* stopping = pass.stopped_by()) return *stopping;
    return *std::ranges::min_element(pass.tickets(), {}, [](const Ticket& t) { return t.decision.remaining; });
}

void append_number(http::FieldTail& tail, std::string_view name, std::int64_t value) noexcept {
    tail.begin(name);
    tail.number(value);
    tail.end();
}

}  // namespace

void append_limit_fields(http::FieldTail& tail, const GatePass& pass, bool x_ratelimit) noexcept {
    if (pass.tickets().empty()) return;
    append_list(tail, "RateLimit-Policy: ", pass, [&](const Ticket& ticket) { tail.text(ticket.limit->policy_field); });
    append_list(tail, "RateLimit: ", pass, [&](const Ticket& ticket) {
        tail.text("\"");
        tail.text(ticket.limit->policy.name);
        tail.text("\";r=");
        tail.number(signed_of(ticket.decision.remaining));
        if (!says_when(ticket)) return;
        tail.text(";t=");
        tail.number(whole_seconds_up(ticket.decision.reset_after));
    });
    if (!x_ratelimit) return;
    const Ticket& ticket = tightest(pass);
    const LimitPolicy& policy = ticket.limit->policy;
    append_number(tail, "X-RateLimit-Limit: ", signed_of(says_when(ticket) ? policy.quota : policy.max));
    append_number(tail, "X-RateLimit-Remaining: ", signed_of(ticket.decision.remaining));
    if (says_when(ticket)) append_number(tail, "X-RateLimit-Reset: ", whole_seconds_up(ticket.decision.reset_after));
}

void append_retry_after(http::FieldTail& tail, const GatePass& pass, Now now) noexcept {
    std::int64_t seconds = soon_s;
    for (const Ticket& ticket : pass.tickets()) {
        if (!ticket.stops()) continue;
        if (ticket.passage == Passage::denied) return;  // there is no later
        if (ticket.passage != Passage::refused) continue;
        if (ticket.decision.retry_after > std::chrono::seconds(late_s)) return;
        const auto jitter = static_cast<std::uint64_t>(ticket.limit->policy.retry_jitter.count());
        const auto moment = static_cast<std::uint64_t>(now.mono.time_since_epoch().count());
        const auto drawn = jitter == 0 ? 0 : (ticket.key ^ (moment * 0x9E37'79B9'7F4A'7C15U)) % (jitter + 1);
        seconds = std::max(seconds,
                           whole_seconds_up(ticket.decision.retry_after + Duration(static_cast<std::int64_t>(drawn))));
    }
    append_number(tail, "Retry-After: ", seconds);
}

Refusal refusal_of(const GatePass& pass, Passage passage) {
    std::string names;
    std::string detail;
    for (const Ticket& ticket : pass.tickets()) {
        if (!ticket.stops()) continue;
        if (!names.empty()) names += ',';
        http::append_json_string(names, ticket.limit->policy.name);
        if (detail.empty()) detail = "limit \"" + ticket.limit->policy.name + "\" ";
    }
    Refusal out{};
    std::string_view type;
    switch (passage) {
        case Passage::denied:
            out = {403, Detail::denied, {}};
            type = "denied";
            detail += "does not let this client in";
            break;
        case Passage::full:
            out = {503, Detail::too_many_at_once, {}};
            type = "too-many-at-once";
            detail += "has as many requests in flight as it allows; see Retry-After";
            break;
        case Passage::unknown:
            out = {503, Detail::limit_unknown, {}};
            type = "limit-unknown";
            detail += "cannot be counted at the moment; see Retry-After";
            break;
        default:
            out = {429, Detail::rate_limited, {}};
            type = "https://iana.org/assignments/http-problem-types#quota-exceeded";
            detail += "is exhausted; see Retry-After";
            break;
    }
    out.problem = http::problem_json(out.status, type, "", detail, "\"violated-policies\":[" + names + "]");
    return out;
}

}  // namespace etage::flow
