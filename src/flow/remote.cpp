// Step 6: the shared tier. A flight looks there before it asks the origin; if nothing is there, one instance asks for
// all.
//
// Interleavings that bite · What is found carries the fence of the fill that made it, on whichever instance: it is
// judged by that fence here, and put into memory under it, never under the flight's (rule 3). Between the look and the
// claim another instance may have written and given its claim back: whoever wins a claim looks once more, in the same
// trip. A timeout is not a miss: such a fill is not written to the shared tier.

#include "base/clock.hpp"
#include "flow/cache_status.hpp"
#include "flow/plan.hpp"
#include "flow/tags.hpp"
#include "net/timer.hpp"
#include "policy/reuse.hpp"

#include <algorithm>

namespace etage::flow {

namespace {

using Answer_ = store::RemoteStore::Answer;

constexpr Duration claim_poll_first = std::chrono::milliseconds(4);
constexpr Duration claim_poll_max = std::chrono::milliseconds(50);

}  // namespace

/// True: the flight has landed with what was found.
asio::awaitable<bool> Walk::land_from_remote(Flight& flight, Plan& plan) {
    if (rooms_.remote == nullptr) co_return false;
    // Blind, nothing that is stored can be judged (rule 8).
    plan.remote_away = rooms_.engine.sight(plan.request_time.mono) == coherence::Sight::blind;
    if (plan.remote_away) co_return false;
    plan.name = key_name(plan.key, plan.match.route);
    const auto shelf = rooms_.store.find(plan.key_hash, plan.key);
    const http::VaryNames vary = shelf && !shelf->variants.empty() ? shelf->vary : http::VaryNames{};
    const store::RemoteName name{plan.name, plan.key, plan.key_hash, plan.asked.head().fields, &vary};
    Duration pause = claim_poll_first;
    const Instant give_up = plan.request_time.mono + rooms_.limits.claim_wait_max;
    for (;;) {
        const Instant deadline = base::read_clock().mono + rooms_.limits.remote_budget;
        if (!plan.is_refused) {
            const auto found = co_await rooms_.remote->find(name, deadline);
            plan.remote_away = found.answer == Answer_::away;
            if (plan.remote_away) co_return false;
            if (take_from_remote(flight, plan, found.entry)) co_return true;
        }
        if (plan.in_part) co_return false;
        const bool go_on = co_await claim_for_all(flight, plan, name, deadline);
        if (flight.has_landed()) co_return true;
        if (go_on || base::read_clock().mono >= give_up) break;
        if (pause == claim_poll_first) rooms_.metrics.add(base::Counter::redis_claims_awaited);
        net::Timer timer(plan.executor);
        timer.expires_after(pause);
        co_await timer.async_wait(net::quietly);
        pause = std::min(pause * 2, claim_poll_max);
    }
    plan.remote_missed = !plan.remote_away;
    co_return false;
}

/// True: the origin is ours to ask. False: another instance is asking it, for a fill that would do here, too.
asio::awaitable<bool> Walk::claim_for_all(Flight& flight, Plan& plan, const store::RemoteName& name, Instant deadline) {
    const auto claimed = co_await rooms_.remote->claim(name, flight.fence(), deadline);
    switch (claimed.answer) {
        case Answer_::away: plan.remote_away = true; co_return true;
        case Answer_::hit:
            plan.claim = claimed.claim;
            take_from_remote(flight, plan, claimed.entry);
            co_return true;
        case Answer_::miss: break;
    }
    // Rule 4, between instances: a fill that began before what has been invalidated since is not waited for.
    if (!claimed.is_shareable) co_return true;
    co_return rooms_.engine.judge(claimed.fence, flight.request_tags()) != coherence::Validity::valid;
}

/// True: it answers this flight, and is in memory now. What is stale, but valid, is at least something to ask the
/// origin about, and to fall back on.
bool Walk::take_from_remote(Flight& flight, Plan& plan, const base::Ref<const store::Entry>& entry) {
    if (!entry) return false;
    const store::EntryParts& parts = entry->parts();
    const std::uint32_t revision = plan.match.route != nullptr ? plan.match.route->revision : 0;
    const auto valid = rooms_.engine.judge(parts.fence, parts.tags);
    if (parts.route_revision != revision || valid > coherence::Validity::stale) return false;
    if (plan.has_credentials && !plan.per_user && !parts.for_authorized) return false;
    const Instant now = base::read_clock().mono;
    const auto cc = http::parse_request_cache_control(plan.asked.head().fields);
    const bool soft = valid == coherence::Validity::stale;
    if (plan.is_refused || policy::judge_reuse(parts.stamps, cc, now, soft).reuse != policy::Reuse::fresh) {
        if (!plan.fallback && !plan.in_part && !plan.held) ask_about(plan, plan.fallback = entry);
        return false;
    }

    const auto vary = selecting_fields(parts.fields);
    rooms_.store.put(entry, vary);
    if (!parts.search_key.empty()) put_signposts(rooms_, plan.uri(), parts);
    Outcome outcome;
    outcome.kind = Outcome::Kind::entry;
    outcome.entry = entry;
    outcome.secondary_key = parts.secondary_key;
    outcome.vary = vary;
    outcome.tags = parts.tags;
    outcome.fence = parts.fence;
    outcome.from_remote = true;
    rooms_.flights.leave(flight);
    flight.land(std::move(outcome));
    return true;
}

/// While Redis is configured and away the origin is protected: so many fills at once, and who has something stale to
/// fall back on does not wait.
asio::awaitable<std::optional<net::Slot>> Walk::outage_slot(const Plan& plan) {
    const Instant now = base::read_clock().mono;
    const auto cc = http::parse_request_cache_control(plan.asked.head().fields);
    const bool has_fallback = plan.fallback && rooms_.engine.sight(now) != coherence::Sight::blind &&
                              validity(*plan.fallback) <= coherence::Validity::stale &&
                              policy::usable_on_error(plan.fallback->parts().stamps, cc, now);
    return rooms_.outage_fills.acquire(has_fallback ? now : now + rooms_.limits.follower_wait_max);
}

/// What was shelved here is offered to the others, and the claim goes with it.
void Walk::share(Plan& plan, const base::Ref<const store::Entry>& entry, const http::VaryNames& vary) {
    if (rooms_.remote == nullptr || !plan.remote_missed || entry->parts().part) return;
    rooms_.remote->put(plan.executor, plan.name, entry, vary, std::move(plan.claim), plan.response_time.mono);
}

void Walk::finish_remote(Visit& visit, const Outcome& outcome, Answer& out) {
    out.verdict.detail = Detail::redis;
    finish_hit(visit, outcome.entry, out);
}

}  // namespace etage::flow
