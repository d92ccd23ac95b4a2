// Step 7 for all who wait: one fetch, the rules of storing, the shelf, and the landing.
//
// Interleavings that bite · The fence in the flight was read before the fetch; everything stored here carries it, never
// "now" (rule 3). The entry is put before the flight leaves the table; the flight leaves before it lands, so nobody
// joins a flight whose outcome is old.

#include "flow/plan.hpp"
#include "flow/present.hpp"
#include "flow/tags.hpp"
#include "http/cache_control.hpp"
#include "http/vary.hpp"
#include "policy/freshness.hpp"
#include "policy/invalidate.hpp"
#include "policy/storable.hpp"
#include "policy/targeted.hpp"
#include "policy/update.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>

namespace etage::flow {

namespace {

/// Whatever the fill does, its waiters are released, the entry may be refreshed again, and compose can count it out.
template <class F>
struct AtExit {
    F run;
    ~AtExit() { run(); }
};
template <class F>
AtExit(F) -> AtExit<F>;

bool is_origin_error(int status) noexcept {  // RFC 5861 §4
    return status == 500 || status == 502 || status == 503 || status == 504;
}

/// True when it is the request that keeps the response from being shared, not the resource: then the next request may
/// be different, and the key is not to be remembered as not shareable.
bool lies_with_request(Detail why, const http::RequestHead& request) noexcept {
    return why == Detail::authorization || why == Detail::partial || request.method == http::Method::head ||
           (why == Detail::no_store && http::parse_request_cache_control(request.fields).no_store);
}

}  // namespace

std::vector<TagHash> Walk::asked_tags(const Visit& visit) const {
    const auto primary = std::string_view(visit.key).substr(0, visit.notes.key_bytes);
    const std::string identity =
        visit.notes.per_user() ? identity_hash(visit.notes.identity, rooms_.identity_secret) : std::string();
    return request_tags({visit.request, visit.scheme, primary, visit.notes.match, identity});
}

std::shared_ptr<Flight> Walk::new_flight(const Visit& visit, Sequence fence) const {
    return std::make_shared<Flight>(flight_name(visit), fence, asked_tags(visit));
}

std::shared_ptr<Walk::Plan> Walk::plan(const Visit& visit) const {
    auto plan = std::make_shared<Plan>(visit);
    const Notes& notes = visit.notes;
    plan->key = visit.key.substr(0, notes.key_bytes);
    plan->key_hash = notes.key_hash;
    plan->match = rooms_.router.match(plan->asked.head().method, plan->asked.head().path);
    plan->per_user = notes.per_user();
    plan->has_credentials = has_credentials(visit);
    plan->is_refused = notes.forward == Forward::request;
    plan->request = request_for(plan->asked.head(), plan->asked.scheme(), visit.client_address, plan->match, true);
    if (notes.content) {
        plan->request.body = content_of(notes);
        plan->request.content_length = notes.content->size();
    }
    if (notes.stop == Stop::stale_while)
        plan->refreshing = notes.entry;
    else
        plan->request.interim = visit.interim;  // of the one who starts the flight: it waits, on this executor
    plan->fallback = notes.entry;
    ask_for_part(visit, *plan);
    if (notes.entry) {
        ask_about(*plan, notes.entry);
        if (notes.content) plan->whole.body = content_of(notes);
    }
    return plan;
}

/// RFC 9111 §4.3.1: with the origin's own validators.
void Walk::ask_about(Plan& plan, const base::Ref<const store::Entry>& entry) {
    plan.whole = plan.request;
    const store::EntryParts& stored = entry->parts();
    if (!stored.etag.empty() && !stored.etag_is_ours)
        plan.request.fields.set(http::FieldId::if_none_match, stored.etag);
    if (!stored.last_modified.empty()) plan.request.fields.set(http::FieldId::if_modified_since, stored.last_modified);
    if (http::contains(plan.request.fields, http::FieldId::if_none_match) ||
        http::contains(plan.request.fields, http::FieldId::if_modified_since))
        plan.validate = entry;
}

/// RFC 9111 §4.3.4: a 304 about something else than was asked about. What is asked now has no condition.
asio::awaitable<Result<OriginResponse>> Walk::ask_anew(Plan& plan) {
    plan.validate = nullptr;
    plan.request_time = base::read_clock();
    auto response = co_await fetch(std::move(plan.whole));
    plan.response_time = base::read_clock();
    co_return response;
}

void Walk::launch(const asio::any_io_executor& executor, std::shared_ptr<Flight> flight, std::shared_ptr<Plan> plan) {
    rooms_.fills_under_way.fetch_add(1, std::memory_order_relaxed);
    asio::co_spawn(executor, fly(rooms_.keeper.lock(), std::move(flight), std::move(plan)), asio::detached);
}

/// A flight goes on when whoever started it has gone, and the walk has been replaced: `keeper` comes first, and so goes
/// last.
asio::awaitable<void> Walk::fly([[maybe_unused]] std::shared_ptr<const void> keeper, std::shared_ptr<Flight> flight,
                                std::shared_ptr<Plan> plan) {
    const AtExit done{[&] {
        if (plan->refreshing) plan->refreshing->end_refresh();
        rooms_.flights.leave(*flight);
        if (!flight->has_landed())
            land_failed(*flight, *plan, Error{Blame::us, Fault::internal, false, "internal error"});
        rooms_.fills_under_way.fetch_sub(1, std::memory_order_release);
    }};
    try {
        plan->request_time = base::read_clock();
        plan->executor = co_await asio::this_coro::executor;
        const bool landed = co_await land_from_remote(*flight, *plan);
        if (landed) co_return;
        std::optional<net::Slot> slot;
        if (plan->remote_away) {
            slot = co_await outage_slot(*plan);
            if (!slot)
                co_return land_failed(*flight, *plan, Error{Blame::us, Fault::overloaded, true, "Redis is away"});
        }
        plan->request_time = base::read_clock();
        auto response = co_await fetch(std::move(plan->request));
        plan->response_time = base::read_clock();
        if (response && plan->held) response = co_await complete(*plan, std::move(*response));
        if (response && response->status == 304 && plan->validate &&
            !policy::validates(response->fields, plan->validate->parts().fields))
            response = co_await ask_anew(*plan);
        if (!response) {
            land_failed(*flight, *plan, std::move(response.error()));
        } else if (response->status == 304 && plan->validate) {
            co_await land_validated(*flight, *plan, std::move(*response));
        } else {
            co_await land_response(*flight, *plan, std::move(*response));
        }
    } catch (const std::exception& e) {
        rooms_.log.error("fill failed", {{"path", plan->asked.head().path}, {"what", e.what()}});
    }
}

void Walk::land_failed(Flight& flight, const Plan& plan, Error error) {
    Outcome failed;
    failed.error = std::move(error);
    failed.fallback = plan.fallback;
    rooms_.flights.leave(flight);
    flight.land(std::move(failed));
}

asio::awaitable<void> Walk::land_response(Flight& flight, Plan& plan, OriginResponse response) {
    auto verdict = policy::judge_storable(Ruling(plan, response).exchange);
    if (verdict.yes && response.status == 206 && !is_a_part(plan, response)) verdict = {false, Detail::partial};
    if (is_origin_error(response.status) && (plan.fallback || !verdict.yes)) {
        co_await land_error(flight, plan, std::move(response));
        co_return;
    }
    if (!verdict.yes) {
        land_exclusive(flight, plan, std::move(response), verdict.why_not);
        co_return;
    }
    if (!response.body) {
        co_await land_whole(flight, plan, std::move(response));
        co_return;
    }
    const bool small = response.content_length && *response.content_length <= rooms_.limits.collect_bytes_max;
    if (response.content_length && *response.content_length > rooms_.limits.entry_bytes_max)
        land_exclusive(flight, plan, std::move(response), Detail::too_large);
    else if (small)
        co_await land_whole(flight, plan, std::move(response));
    else
        co_await land_arriving(flight, plan, std::move(response));
}

/// What all landings with an answer have in common. Takes out of the response what is for the starter alone.
Outcome Walk::outcome_of(const Flight& flight, const Plan& plan, OriginResponse& response) {
    Outcome outcome;
    outcome.fence = flight.fence();
    outcome.fallback = plan.fallback;
    outcome.status = response.status;
    outcome.vary = selecting_fields(response.fields);
    const auto cc = http::parse_response_cache_control(response.fields);
    outcome.withheld =
        policy::take_withheld(response.fields, policy::governing_directives(response.fields, cc).cc, plan.per_user);
    response.fields.remove_if([&](const http::Field& field) {
        if (!is_limit_field(field)) return false;
        outcome.withheld.add(field.name, field.value);
        return true;
    });
    return outcome;
}

/// An origin's error is never stored; those who wait share it, or fall back on what they have.
asio::awaitable<void> Walk::land_error(Flight& flight, Plan& plan, OriginResponse response) {
    const auto cc = http::parse_response_cache_control(response.fields);
    const bool shareable =
        !cc.is_private && !http::contains(response.fields, http::FieldId::set_cookie) &&
        (!response.body || (response.content_length && *response.content_length <= rooms_.limits.error_bytes_max));
    if (!shareable) {
        land_exclusive(flight, plan, std::move(response), Detail::status_not_cacheable);
        co_return;
    }
    Outcome outcome = outcome_of(flight, plan, response);
    auto parts = parts_of(flight, plan, response);
    const auto whole = co_await read_whole(response);
    if (!whole) {
        land_failed(flight, plan, whole.error());
        co_return;
    }
    outcome.kind = Outcome::Kind::entry;
    outcome.detail = Detail::status_not_cacheable;
    outcome.tags = parts.tags;
    outcome.entry = co_await shape(plan, std::move(parts), std::move(response.content));
    rooms_.flights.leave(flight);
    flight.land(std::move(outcome));
}

/// Content that is here, or small enough to wait for.
asio::awaitable<void> Walk::land_whole(Flight& flight, Plan& plan, OriginResponse response) {
    Outcome outcome = outcome_of(flight, plan, response);
    auto parts = parts_of(flight, plan, response);
    const auto whole = co_await read_whole(response);
    if (!whole) {
        land_failed(flight, plan, whole.error());
        co_return;
    }
    outcome.kind = Outcome::Kind::entry;
    outcome.secondary_key = parts.secondary_key;
    outcome.tags = parts.tags;
    outcome.entry = co_await shape(plan, std::move(parts), std::move(response.content));
    outcome.stored = co_await keep(plan, outcome.entry, outcome.detail);
    rooms_.flights.leave(flight);
    flight.land(std::move(outcome));
}

/// Content that is large or of unknown length: those who wait get it as it comes, the shelf when it is complete.
asio::awaitable<void> Walk::land_arriving(Flight& flight, Plan& plan, OriginResponse response) {
    Outcome outcome = outcome_of(flight, plan, response);
    auto parts = parts_of(flight, plan, response);
    auto arriving = std::make_shared<Arriving>();
    arriving->status = response.status;
    arriving->fields = response.fields;
    arriving->content_length = response.content_length;
    arriving->body = std::make_shared<SharedBody>();
    const auto body = arriving->body;
    outcome.kind = Outcome::Kind::arriving;
    outcome.secondary_key = parts.secondary_key;
    outcome.tags = parts.tags;
    outcome.arriving = std::move(arriving);
    flight.land(std::move(outcome));  // stays in the table: whoever comes reads along

    const AtExit cut{[&] { body->fail(Error{Blame::origin, Fault::origin_incomplete, false, "cut short"}); }};
    bool keeping = true;
    for (;;) {
        auto piece = co_await response.body->read();
        if (!piece) {
            rooms_.metrics.add(Detail::incomplete);
            body->fail(std::move(piece.error()));
            co_return;
        }
        if (piece->empty()) break;
        if (keeping && body->size() + piece->size() > rooms_.limits.entry_bytes_max) {
            keeping = false;
            rooms_.flights.leave(flight);
            body->stop_keeping();
            rooms_.metrics.add(Detail::too_large);
        }
        if (!co_await body->append(*piece)) co_return;
    }
    std::string content = keeping ? body->whole() : std::string();
    body->finish();
    if (!keeping) co_return;
    Detail why_not = Detail::none;
    const auto entry = co_await shape(plan, std::move(parts), std::move(content));
    co_await keep(plan, entry, why_not);
}

/// RFC 9111 §4.3.4.
asio::awaitable<void> Walk::land_validated(Flight& flight, Plan& plan, OriginResponse response) {
    Outcome outcome = co_await freshen(flight, plan, *plan.validate, std::move(response));
    outcome.status = 304;
    rooms_.flights.leave(flight);
    flight.land(std::move(outcome));
}

/// The stored response with the fields of the one that validated it, and the fence of this validation. What may not be
/// stored any more leaves the shelf.
asio::awaitable<Outcome> Walk::freshen(const Flight& flight, Plan& plan, const store::Entry& entry,
                                       OriginResponse response) {
    const store::EntryParts& stored = entry.parts();
    plan.part = stored.part;
    response.fields = policy::updated_fields(stored.fields, response.fields);
    if (stored.part) {
        http::RangeText text;
        response.fields.set(http::FieldId::content_range,
                            http::write_content_range(text, stored.part->range, stored.part->complete));
    }
    response.status = stored.status;
    const auto& body = entry.as_sent().body;
    Outcome outcome = outcome_of(flight, plan, response);
    auto parts = parts_of(flight, plan, response);
    outcome.kind = Outcome::Kind::entry;
    outcome.secondary_key = parts.secondary_key;
    outcome.tags = parts.tags;
    outcome.entry = co_await shape(plan, std::move(parts), std::string(body ? body->view() : std::string_view{}));
    const auto verdict = policy::judge_storable(Ruling(plan, response).exchange);
    outcome.detail = verdict.why_not;
    if (verdict.yes)
        outcome.stored = shelve(plan, outcome.entry, outcome.detail);
    else
        rooms_.store.remove(entry);
    co_return outcome;
}

void Walk::land_exclusive(Flight& flight, Plan& plan, OriginResponse response, Detail why) {
    if (plan.claim) plan.claim->abandon();
    if (!lies_with_request(why, plan.asked.head()))
        rooms_.store.mark_not_shareable(plan.key_hash, plan.key,
                                        plan.response_time.mono + rooms_.limits.not_shareable_for);
    Outcome outcome;
    outcome.kind = Outcome::Kind::not_shareable;
    outcome.status = response.status;
    outcome.detail = why;
    outcome.exclusive = std::move(response);
    rooms_.flights.leave(flight);
    flight.land(std::move(outcome));
}

}  // namespace etage::flow
