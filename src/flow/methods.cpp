// Step 7 for methods with rules of their own: HEAD that freshens, QUERY that is named by its content, POST whose answer
// is kept for GET.

#include "flow/cache_status.hpp"
#include "flow/plan.hpp"
#include "flow/present.hpp"
#include "net/whole_body.hpp"
#include "policy/reuse.hpp"
#include "policy/update.hpp"

namespace etage::flow {

// ---- HEAD

/// RFC 9111 §4.3.5: a HEAD that finds a stale entry goes to the origin as HEAD. Its answer freshens the entry, if it
/// speaks of the same content; else the entry goes.
asio::awaitable<void> Walk::ask_by_head(Visit& visit, Answer& out) {
    const auto entry = visit.notes.entry;
    const auto flight = new_flight(visit, rooms_.engine.fence());  // in no table: nobody waits for a head
    const auto plan = this->plan(visit);
    plan->request.method = http::Method::head;
    plan->request.method_text = http::method_name(http::Method::head);
    plan->request.fields.remove(http::FieldId::if_none_match);
    plan->request.fields.remove(http::FieldId::if_modified_since);
    plan->request_time = base::read_clock();
    auto response = co_await fetch(std::move(plan->request));
    plan->response_time = base::read_clock();
    if (fall_back(visit, response, out)) co_return;
    if (!response) co_return answer_error(visit, response.error(), out);

    const store::EntryParts& stored = entry->parts();
    const auto& body = entry->as_sent().body;
    if (response->status != 200 || stored.status != 200 || !body) {
        co_await present_origin_response(visit, std::move(*response), out);
        co_return;
    }
    if (!policy::head_speaks_of(response->fields, response->content_length, stored.fields, body->size())) {
        rooms_.store.remove(*entry);
        co_await present_origin_response(visit, std::move(*response), out);
        co_return;
    }
    const Outcome fresh = co_await freshen(*flight, *plan, *entry, std::move(*response));
    out.verdict.forward = visit.notes.forward;
    out.verdict.detail = fresh.detail;
    out.verdict.forward_status = 200;
    out.verdict.stored = fresh.stored;
    give_entry(visit, fresh.entry, out);
    append_reuse_fields(visit, *fresh.entry, out);
    finish_forwarded(visit, out);
}

/// RFC 5861 §4, RFC 9111 §4.2.4: what is there, when the origin failed.
bool Walk::fall_back(Visit& visit, const Result<OriginResponse>& response, Answer& out) {
    if (response && response->status < 500) return false;
    return serve_fallback(visit, response ? nullptr : &response.error(), response ? response->status : 0, out);
}

// ---- QUERY

/// RFC 10008 §2.7: the key of a QUERY holds its content, so it is read before anything is looked up. What is too much
/// for a key goes on as it came.
asio::awaitable<void> Walk::ask_by_query(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out) {
    std::string content;
    while (body) {
        const auto piece = co_await body->read();
        if (!piece) co_return answer_error(visit, piece.error(), out);
        if (piece->empty()) break;
        content += *piece;
        if (content.size() <= rooms_.limits.query_bytes_max) continue;
        visit.notes.forward = Forward::bypass;
        visit.notes.detail = Detail::request_body;
        const auto read = base::make_bytes(std::move(content));
        co_await forward_alone(visit, std::make_shared<net::WholeBody>(read, std::move(body)), out);
        co_return;
    }
    visit.notes.content = base::make_bytes(std::move(content));
    if (give_name(visit) && find_entry(visit, out)) co_return;
    co_await go_on(visit, content_of(visit.notes), out);
}

// ---- POST

/// What a GET of the same URI would be called, and what it would ask.
struct Walk::AsGet {
    AsGet(const Visit& post, const policy::Router& router)
        : head(post.request), visit{head, post.client_address, post.scheme, post.now, key} {
        head.method = http::Method::get;
        head.method_text = http::method_name(http::Method::get);
        head.body = http::BodyKind::none;
        head.content_length = 0;
        visit.notes.match = router.match(head.method, head.path);
        visit.notes.identity = policy::identity_of(visit.notes.match.route, head);
        visit.notes.request_cc = http::parse_request_cache_control(head.fields);
    }
    AsGet(const AsGet&) = delete;
    AsGet& operator=(const AsGet&) = delete;

    http::RequestHead head;
    std::string key;
    Visit visit;
};

/// RFC 9110 §9.3.3: a 200 to POST whose Content-Location is the target, and that says itself how long it is fresh, is
/// what a GET would have got.
///
/// Interleavings that bite · The POST invalidates its own target, with a mark newer than any fence its fill could have.
/// So the entry gets the fence of that very mark, and only if nothing else was marked between: what was valid just
/// before it is then still what the origin said last.
asio::awaitable<void> Walk::answer_post(Visit& visit, OriginResponse response, Sequence began, Now asked, Answer& out) {
    AsGet get(visit, rooms_.router);
    const bool named = get.visit.notes.match.route == nullptr || !get.visit.notes.match.route->policy.cache.pass;
    // With other instances in the log, what follows this mark in it may be theirs.
    if (!rooms_.invalidations.is_alone() || !named || !give_name(get.visit)) {
        co_await present_origin_response(visit, std::move(response), out);
        co_return;
    }
    const auto whole = co_await read_whole(response);
    if (!whole) co_return answer_error(visit, whole.error(), out);

    const auto flight = new_flight(get.visit, began);
    const auto plan = this->plan(get.visit);
    plan->request_time = asked;
    plan->response_time = base::read_clock();
    const bool storable = policy::judge_storable(Ruling(*plan, response).exchange).yes;
    auto parts = parts_of(*flight, *plan, response);
    const Sequence before = rooms_.engine.fence();
    const bool valid = rooms_.engine.judge(began, parts.tags) == coherence::Validity::valid;
    std::string content = response.content;
    co_await present_origin_response(visit, std::move(response), out);
    if (!storable || !valid || rooms_.engine.fence() != before + 1) co_return;
    parts.fence = before + 1;
    Detail why_not = Detail::none;
    shelve(*plan, co_await shape(*plan, std::move(parts), std::move(content)), why_not);
}

}  // namespace etage::flow
