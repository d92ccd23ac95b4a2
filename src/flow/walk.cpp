// Steps 5–8, in order: what happens when the shelf could not answer.

#include "flow/walk.hpp"

#include "base/clock.hpp"
#include "flow/cache_status.hpp"
#include "flow/plan.hpp"
#include "flow/present.hpp"
#include "http/problem.hpp"
#include "http/vary.hpp"
#include "net/whole_body.hpp"
#include "policy/reuse.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>

namespace etage::flow {

namespace {

Detail detail_of(Fault fault) noexcept {
    switch (fault) {
        case Fault::origin_unreachable: return Detail::origin_unreachable;
        case Fault::origin_timeout: return Detail::origin_timeout;
        case Fault::origin_protocol: return Detail::origin_protocol;
        case Fault::origin_incomplete: return Detail::origin_incomplete;
        case Fault::overloaded: return Detail::overloaded;
        case Fault::budget_spent: return Detail::budget_spent;
        case Fault::origin_busy: return Detail::origin_busy;
        case Fault::internal: return Detail::internal;
        default: return Detail::bad_request;
    }
}

}  // namespace

asio::awaitable<void> Walk::answer(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out) {
    try {
        co_await go_on(visit, std::move(body), out);
        if (visit.notes.gate.is_charged_afterwards()) charge(visit, out);
    } catch (const std::exception& e) {  // out of memory, or a mistake of ours: this request pays, nobody else
        rooms_.log.error("request failed", {{"path", visit.request.path}, {"what", e.what()}});
        out = Answer{};
        answer_error(visit, Error{Blame::us, Fault::internal, false, "internal error"}, out);
    }
}

asio::awaitable<void> Walk::go_on(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out) {
    switch (visit.notes.stop) {
        case Stop::unrouted: co_return answer_unrouted(visit, out);
        case Stop::limits_page: co_return answer_limits_page(visit, out);
        case Stop::refused: co_return answer_refused(visit, out);
        case Stop::limits: co_return co_await ask_limits(visit, std::move(body), out);
        case Stop::forward_alone: {
            if (visit.notes.request_cc.only_if_cached) co_return answer_only_if_cached(visit, out);
            const bool may = co_await may_go_forward(visit, out);
            if (!may) co_return;
            co_return co_await forward_alone(visit, std::move(body), out);
        }
        case Stop::behind: co_return co_await wait_for_token(visit, std::move(body), out);
        case Stop::query: co_return co_await ask_by_query(visit, std::move(body), out);
        case Stop::decode: co_return serve_decoded(visit, out);
        case Stop::stale_while: co_return serve_stale_and_refresh(visit, out, co_await asio::this_coro::executor);
        case Stop::head:
        case Stop::fill: break;
    }
    if (visit.notes.stop == Stop::fill && !visit.notes.entry && look_for_part(visit, out)) co_return;
    if (visit.notes.request_cc.only_if_cached) co_return answer_only_if_cached(visit, out);
    const bool may = co_await may_go_forward(visit, out);
    if (!may) co_return;
    if (visit.notes.stop == Stop::head) co_return co_await ask_by_head(visit, out);
    co_await take_off(visit, out);
}

/// Rule 6: a short wait, else around the cache.
asio::awaitable<void> Walk::wait_for_token(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out) {
    const Instant deadline = visit.now.mono + rooms_.limits.remote_budget;
    if (!co_await rooms_.invalidations.reach(visit.notes.token, deadline)) {
        visit.notes.stop = Stop::forward_alone;
    } else {
        visit.notes.detail = Detail::none;
        if (find_entry(visit, out)) co_return;
    }
    co_await go_on(visit, std::move(body), out);
}

/// RFC 9111 §5.2.1.7.
void Walk::answer_only_if_cached(Visit& visit, Answer& out) {
    out.verdict.detail = Detail::only_if_cached;
    present_problem(visit, 504, "not stored, and the request said only-if-cached", "", out);
    append_cache_status(out.tail, out.verdict);
}

asio::awaitable<void> Walk::take_off(Visit& visit, Answer& out) {
    Notes& notes = visit.notes;
    const auto executor = co_await asio::this_coro::executor;
    const Instant deadline = visit.now.mono + rooms_.limits.follower_wait_max;
    for (std::size_t tries = 0; tries < rooms_.limits.rejoin_max; ++tries) {
        // Rule 1: the fence is read before anything else is looked at.
        const Sequence began = rooms_.engine.fence();
        // Rule 4: join only what no later invalidation has made invalid already.
        // Blind, nobody can tell which those are (rule 8).
        const bool blind = rooms_.engine.sight(visit.now.mono) == coherence::Sight::blind;
        const auto may_join = [&](const Flight& flight) {
            return !blind && rooms_.engine.judge(flight.fence(), flight.request_tags()) == coherence::Validity::valid;
        };
        const auto boarding =
            rooms_.flights.board(flight_name(visit), may_join, [&] { return new_flight(visit, began); });
        const Flight& flight = *boarding.flight;
        if (boarding.started)
            launch(executor, boarding.flight, plan(visit));
        else
            rooms_.metrics.add(base::Counter::collapsed);
        const bool landed = co_await boarding.flight->landed_by(boarding.started ? Instant::max() : deadline);
        if (!landed) {
            notes.detail = Detail::flight_too_slow;
            // The origin is slow already, and everybody who gave up and asked again has left such a follower behind.
            if (visit.presence != nullptr && visit.presence->has_left())
                co_return answer_error(visit, {Blame::client, Fault::cancelled, false, "the client has left"}, out);
            break;
        }
        if (boarding.started && flight.outcome().kind == Outcome::Kind::not_shareable) {
            notes.detail = flight.outcome().detail;
            co_await present_origin_response(visit, boarding.flight->take_exclusive(), out);
            co_return;
        }
        if (arrive(visit, flight, boarding.started, out)) co_return;
        const Outcome& outcome = flight.outcome();
        if (outcome.kind == Outcome::Kind::not_shareable) {
            notes.detail = Detail::not_shareable;
            break;
        }
        // Next time together with those that the same response would suit.
        visit.key.resize(notes.key_bytes);
        http::append_secondary_key(visit.key, outcome.vary, visit.request.fields);
        notes.entry = nullptr;
    }
    co_await forward_alone(visit, content_of(notes), out);
}

std::shared_ptr<net::BodySource> Walk::content_of(const Notes& notes) {
    if (!notes.content || notes.content->size() == 0) return nullptr;
    return std::make_shared<net::WholeBody>(notes.content);
}

/// False: this outcome is not for this request; it must go again.
bool Walk::arrive(Visit& visit, const Flight& flight, bool started, Answer& out) {
    const Outcome& outcome = flight.outcome();
    if (outcome.kind == Outcome::Kind::not_shareable) return false;
    // Rule 5: the tags learned from the response decide for whoever came later. A mark may be ahead of every fence
    // taken here, so fences say nothing of who came first.
    const bool is_for_all = outcome.kind == Outcome::Kind::failed ||
                            rooms_.engine.judge(outcome.fence, outcome.tags) == coherence::Validity::valid;
    if (!started && (!is_for_all || !matches(visit, outcome))) return false;
    if (outcome.from_remote) return finish_remote(visit, outcome, out), true;
    if (!visit.notes.entry) visit.notes.entry = outcome.fallback;
    out.verdict.forward = visit.notes.forward;
    out.verdict.detail = outcome.detail != Detail::none ? outcome.detail : visit.notes.detail;
    out.verdict.forward_status = outcome.status;
    out.verdict.stored = outcome.stored;
    out.verdict.collapsed = !started;

    const bool silent = outcome.kind == Outcome::Kind::failed;
    const bool failed = silent || outcome.status >= 500;
    if (failed && serve_fallback(visit, silent ? &outcome.error : nullptr, outcome.status, out)) return true;
    if (silent) return answer_error(visit, outcome.error, out), true;

    if (outcome.kind == Outcome::Kind::entry) {
        give_entry(visit, outcome.entry, out);
        append_reuse_fields(visit, *outcome.entry, out);
        if (started) add_to_head(outcome.withheld, out);
        return finish_forwarded(visit, out), true;
    }
    const Arriving& arriving = *outcome.arriving;
    auto reader = arriving.body->reader();
    if (!reader) return false;  // its beginning is gone: it turned out too large to keep
    give_arriving(visit, arriving, std::move(reader), out);
    if (started) add_to_head(outcome.withheld, out);
    append_cache_status(out.tail, out.verdict);
    return finish_forwarded(visit, out), true;
}

/// RFC 5861 §4, RFC 9111 §4.2.4: what is there, if it may be used when the origin failed, or was not asked. `error` is
/// null when it answered.
bool Walk::serve_fallback(Visit& visit, const Error* error, int status, Answer& out) {
    const auto& fallback = visit.notes.entry;
    const auto how = error != nullptr ? policy::OriginFailure::silent : policy::OriginFailure::error_status;
    // A mark that came meanwhile makes the fallback gone as well (C-07).
    if (!fallback || !covers(visit, *fallback) || validity(visit.notes, *fallback) > coherence::Validity::stale ||
        rooms_.engine.sight(base::read_clock().mono) == coherence::Sight::blind ||
        !policy::usable_on_error(fallback->parts().stamps, visit.notes.request_cc, visit.now.mono, how))
        return false;
    if (error != nullptr && was_not_asked(*error)) {
        out.verdict = {.detail = detail_of(error->fault)};
        finish_hit(visit, fallback, out);
        return true;
    }
    out.verdict.forward = visit.notes.forward;
    out.verdict.detail = Detail::stale_if_error;
    out.verdict.forward_status = status;
    give_entry(visit, fallback, out);
    append_reuse_fields(visit, *fallback, out);
    rooms_.metrics.add(base::Counter::stale_served);
    finish_forwarded(visit, out);
    return true;
}

/// RFC 9111 §4.1: was this response selected by fields that this request has, too?
bool Walk::matches(const Visit& visit, const Outcome& outcome) const {
    if (outcome.vary.star) return false;
    std::string own;
    http::append_secondary_key(own, outcome.vary, visit.request.fields);
    return own == outcome.secondary_key;
}

void Walk::serve_stale_and_refresh(Visit& visit, Answer& out, const asio::any_io_executor& executor) {
    const auto entry = visit.notes.entry;
    if (entry->begin_refresh()) {
        const Sequence fence = rooms_.engine.fence();
        const auto boarding = rooms_.flights.board(
            flight_name(visit), [](const Flight&) { return true; }, [&] { return new_flight(visit, fence); });
        if (boarding.started) {
            rooms_.metrics.add(base::Counter::background_refreshes);
            launch(executor, boarding.flight, plan(visit));
        } else {
            entry->end_refresh();  // that flight may fail, or land under another URI's name
        }
    }
    out.verdict.detail = visit.notes.detail;
    finish_hit(visit, entry, out);
}

void Walk::answer_unrouted(Visit& visit, Answer& out) {
    if (visit.request.method == http::Method::purge) {
        out.verdict.detail = Detail::method_not_allowed;
        std::string methods = rooms_.router.allow(visit.request.path);
        if (methods.empty()) methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY";
        present_problem(visit, 405, "PURGE is for the admin address, or for a route that names it",
                        "Allow: " + methods + "\r\n", out);
    } else if (!visit.notes.match.path_known) {
        out.verdict.detail = Detail::no_route;
        present_problem(visit, 404, "no route for this path", "", out);
    } else {
        out.verdict.detail = Detail::method_not_allowed;
        const std::string allow = "Allow: " + rooms_.router.allow(visit.request.path) + "\r\n";
        present_problem(visit, 405, "this path does not take this method; see Allow", allow, out);
    }
    rooms_.metrics.add(out.verdict.detail);
    append_cache_status(out.tail, out.verdict);
}

void Walk::answer_error(Visit& visit, const Error& error, Answer& out) {
    if (was_not_asked(error)) return answer_not_asked(visit, error, out);
    out.verdict.forward = visit.notes.forward;
    out.verdict.detail = detail_of(error.fault);
    // The client learns what happened, not where the origin lives: that stands in the log.
    present_problem(visit, fault_status(error.fault), fault_name(error.fault), "", out);
    append_cache_status(out.tail, out.verdict);
    out.close = error.blame == Blame::client;
    finish_forwarded(visit, out);
}

/// Nothing went forward, and there is nothing that could be served in its place.
void Walk::answer_not_asked(Visit& visit, const Error& error, Answer& out) {
    const std::string_view why = error.fault == Fault::budget_spent
                                     ? "the budget for calls to the origin is spent; see Retry-After"
                                     : "the origin has as many calls under way as it takes; see Retry-After";
    const auto seconds = std::max(std::chrono::ceil<std::chrono::seconds>(error.retry_after).count(), std::int64_t{1});
    out.verdict = {.detail = detail_of(error.fault)};
    present_problem_document(visit, fault_status(error.fault),
                             http::problem_json(fault_status(error.fault), fault_name(error.fault), "", why),
                             "Retry-After: " + std::to_string(seconds) + "\r\n", out);
    append_cache_status(out.tail, out.verdict);
    tell_limits(visit, out);
    rooms_.metrics.add(out.verdict.detail);
}

void Walk::finish_forwarded(Visit& visit, Answer& out) noexcept {
    tell_limits(visit, out);
    rooms_.metrics.add(base::Counter::forwarded);
    rooms_.metrics.add(out.verdict.forward);
    if (out.verdict.detail != Detail::none) rooms_.metrics.add(out.verdict.detail);
    if (out.verdict.collapsed) {
        const auto* route = visit.notes.match.route;
        rooms_.metrics.add_origin_saved(route != nullptr ? route->origin : 0);
    }
}

void Walk::refuse(Fault fault, std::string_view why, Answer& out) noexcept {
    rooms_.metrics.add(base::Counter::requests_malformed);
    out.verdict.detail = Detail::bad_request;
    const http::RequestHead nobody;
    std::string key;
    const Visit visit{nobody, {}, {}, {}, key};
    present_problem(visit, fault_status(fault), why, "", out);
    append_cache_status(out.tail, out.verdict);
    out.close = true;
}

}  // namespace etage::flow
