// Steps 1–4 and 8: a hit is this one plain function. Nothing here allocates once the worker's key buffer has grown,
// reads a clock, suspends, or holds a lock while it works.

#include "flow/cache_status.hpp"
#include "flow/plan.hpp"
#include "flow/present.hpp"
#include "flow/recode.hpp"
#include "flow/tags.hpp"
#include "flow/walk.hpp"
#include "http/vary.hpp"
#include "policy/reuse.hpp"

#include <algorithm>
#include <charconv>

namespace etage::flow {

namespace {

bool stop(Visit& visit, Stop where, Forward forward, Detail detail = Detail::none) noexcept {
    visit.notes.stop = where;
    visit.notes.forward = forward;
    visit.notes.detail = detail;
    return false;
}

/// Of a hit: it says that the answer is stale.
bool is_stale(Detail detail) noexcept {
    return detail == Detail::stale_while_revalidate || detail == Detail::stale_if_error ||
           detail == Detail::request_max_stale || detail == Detail::budget_spent || detail == Detail::origin_busy;
}

/// Rule 6: how far the log must have been applied here before this request is answered from a shelf. Nothing: it says
/// something that is no position.
std::optional<Sequence> token_of(const http::RequestHead& request) noexcept {
    const auto text = http::find(request.fields, http::FieldId::etage_min_seq);
    Sequence token = 0;
    if (!text) return token;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), token);
    if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
    return token;
}

/// RFC 9111 §4.1: a variant in the very language that this request prefers to all others suits it, whatever else the
/// request that brought it would have taken.
const store::Entry* in_preferred_language(const store::Shelf& shelf, std::string_view secondary,
                                          http::FieldSpan request) noexcept {
    if (std::ranges::find(shelf.vary.names, "accept-language") == shelf.vary.names.end()) return nullptr;
    const auto language = http::preferred_language(request);
    if (!language) return nullptr;
    const auto suits = [&](const auto& variant) {
        const auto said = http::find(variant->parts().fields, http::FieldId::content_language);
        return said && http::iequals(*said, *language) &&
               http::same_but_language(secondary, variant->parts().secondary_key, shelf.vary);
    };
    const auto found = std::ranges::find_if(shelf.variants, suits);
    return found == shelf.variants.end() ? nullptr : found->get();
}

}  // namespace

bool has_credentials(const Visit& visit) noexcept {
    return http::contains(visit.request.fields, http::FieldId::authorization) || visit.notes.identity.present;
}

bool Walk::answer_now(Visit& visit, Answer& out) noexcept {
    rooms_.metrics.add(base::Counter::requests);
    try {
        const bool answered = look_up(visit, out);
        if (answered && visit.notes.gate.is_charged_afterwards()) charge(visit, out);
        return answered;
    } catch (const std::bad_alloc&) {  // the key buffer could not grow: go the long way
        return stop(visit, Stop::forward_alone, Forward::bypass, Detail::internal);
    }
}

bool Walk::look_up(Visit& visit, Answer& out) {
    Notes& notes = visit.notes;
    const http::RequestHead& request = visit.request;

    // 1: which rule applies?
    if (!rooms_.limits_page.empty() && request.path == rooms_.limits_page &&
        (request.method == http::Method::get || request.method == http::Method::head))
        return stop(visit, Stop::limits_page, Forward::none);
    notes.match = rooms_.router.match(request.method, request.path);
    const policy::Route* route = notes.match.route;
    if (route == nullptr && rooms_.handlers_only) return stop(visit, Stop::unrouted, Forward::none);
    // Whoever reaches this address could empty the shelf: not unless a route names the method (DESIGN §10).
    if (request.method == http::Method::purge && (route == nullptr || !route->methods.has(http::Method::purge)))
        return stop(visit, Stop::unrouted, Forward::none);

    // 2: may this client come in?
    notes.identity = policy::identity_of(route, request);
    if (!rooms_.gate.is_open(route)) {
        notes.passage = rooms_.gate.enter(gate_request(visit), notes.gate);
        if (notes.passage != Passage::open)
            return stop(visit, notes.passage == Passage::ask ? Stop::limits : Stop::refused, Forward::none);
    }
    return look_on(visit, out);
}

bool Walk::look_on(Visit& visit, Answer& out) {
    Notes& notes = visit.notes;
    const http::RequestHead& request = visit.request;
    const policy::Route* route = notes.match.route;

    // 3: what is it called?
    if (request.wants_upgrade && may_upgrade(request, route))
        return stop(visit, Stop::forward_alone, Forward::bypass, Detail::upgrade);
    const bool query = request.method == http::Method::query;
    if (request.method != http::Method::get && request.method != http::Method::head && !query)
        return stop(visit, Stop::forward_alone, Forward::method);
    if (request.has_body() && !query) return stop(visit, Stop::forward_alone, Forward::bypass, Detail::request_body);
    if (route != nullptr && route->policy.cache.pass)
        return stop(visit, Stop::forward_alone, Forward::bypass, Detail::route_pass);
    notes.request_cc = http::parse_request_cache_control(request.fields);
    if (query) return stop(visit, Stop::query, Forward::uri_miss);
    // 4: is it on the shelf?
    return give_name(visit) && find_entry(visit, out);
}

/// False: it cannot be named, or must not be looked up, and goes alone.
bool Walk::give_name(Visit& visit) {
    Notes& notes = visit.notes;
    const auto content = notes.content ? std::optional(notes.content->view()) : std::nullopt;
    if (!policy::make_key(visit.key, {visit.request, notes.match.route, visit.scheme, notes.identity,
                                      rooms_.identity_secret, content}))
        return stop(visit, Stop::forward_alone, Forward::bypass, Detail::key_too_long);
    notes.key_bytes = visit.key.size();
    notes.key_hash = base::hash128(visit.key, rooms_.secret);
    const auto token = token_of(visit.request);
    if (!token) return stop(visit, Stop::forward_alone, Forward::bypass, Detail::behind_token);
    notes.token = *token;
    if (!rooms_.engine.caught_up(*token)) return stop(visit, Stop::behind, Forward::bypass, Detail::behind_token);
    return true;
}

bool Walk::find_entry(Visit& visit, Answer& out) {
    Notes& notes = visit.notes;
    auto shelf = rooms_.store.find(notes.key_hash, visit.key);
    if (!shelf) shelf = equivalent_shelf(visit);
    if (!shelf) return stop(visit, Stop::fill, Forward::uri_miss);
    http::append_secondary_key(visit.key, shelf->vary, visit.request.fields);
    const auto secondary = std::string_view(visit.key).substr(notes.key_bytes);
    base::Ref<const store::Entry> entry(shelf->find(secondary));
    if (!entry) entry = base::Ref<const store::Entry>(in_preferred_language(*shelf, secondary, visit.request.fields));
    if (entry && notes.equivalent && !notes.equivalent->is(*entry)) entry = nullptr;
    if (!entry || !is_of_its_route(visit, *entry)) {
        if (shelf->not_shareable_until > visit.now.mono && !notes.equivalent)
            return stop(visit, Stop::forward_alone, Forward::bypass, Detail::not_shareable);
        return stop(visit, Stop::fill, shelf->variants.empty() || entry ? Forward::uri_miss : Forward::vary_miss);
    }

    const coherence::Validity valid = validity(notes, *entry);
    if (valid == coherence::Validity::gone) {
        if (!notes.equivalent) rooms_.store.remove(*entry);  // it may be gone for this URI alone
        return stop(visit, Stop::fill, Forward::uri_miss, Detail::invalidated);
    }
    if (!may_be_given(visit, *entry)) return stop(visit, Stop::forward_alone, Forward::bypass, Detail::authorization);
    const coherence::Sight sight = rooms_.engine.sight(visit.now.mono);
    if (valid == coherence::Validity::unsure || sight == coherence::Sight::blind) {
        notes.entry = std::move(entry);  // only what the origin confirms is served
        const Stop where = visit.request.method == http::Method::head ? Stop::head : Stop::fill;
        return stop(visit, where, Forward::stale,
                    sight == coherence::Sight::blind ? Detail::blind : Detail::unconfirmed);
    }

    const bool soft = valid == coherence::Validity::stale;
    const auto verdict = policy::judge_reuse(entry->parts().stamps, notes.request_cc, visit.now.mono, soft);
    if (verdict.reuse == policy::Reuse::validate) {
        notes.entry = std::move(entry);
        const Stop where = visit.request.method == http::Method::head ? Stop::head : Stop::fill;
        return stop(visit, where, verdict.forward, soft ? Detail::soft_invalidated : Detail::none);
    }
    out.verdict.detail = verdict.detail;
    if (verdict.reuse == policy::Reuse::stale_while) {
        notes.entry = std::move(entry);
        return stop(visit, Stop::stale_while, Forward::none, verdict.detail);
    }

    if (notes.equivalent && out.verdict.detail == Detail::none) out.verdict.detail = Detail::no_vary_search;
    if (sight == coherence::Sight::dim && out.verdict.detail == Detail::none) out.verdict.detail = Detail::blind;
    if (needs_decoding(visit.request, *entry)) {
        notes.entry = std::move(entry);
        return stop(visit, Stop::decode, Forward::none, verdict.detail);
    }

    // 8: in which shape?
    finish_hit(visit, std::move(entry), out);
    return true;
}

bool Walk::is_of_its_route(const Visit& visit, const store::Entry& entry) noexcept {
    const policy::Route* route = visit.notes.match.route;
    return entry.parts().route_revision == (route != nullptr ? route->revision : 0);
}

/// RFC 9111 §3.5, DESIGN §6: what was not marked as shared answers no request with credentials.
bool Walk::may_be_given(const Visit& visit, const store::Entry& entry) noexcept {
    return entry.parts().for_authorized || visit.notes.per_user() || !has_credentials(visit);
}

/// For a URI under which nothing is stored. Costs a miss nothing as long as no response had No-Vary-Search. Not for a
/// QUERY: its content is part of its name.
base::Ref<const store::Shelf> Walk::equivalent_shelf(Visit& visit) const {
    Notes& notes = visit.notes;
    if (notes.content || rooms_.store.signposts().empty()) return nullptr;
    auto found = find_equivalent(rooms_, request_uri(visit.request, visit.scheme, notes.match.route), visit.key);
    if (!found) return nullptr;
    found->asked_tags = asked_tags(visit);
    notes.equivalent = std::move(found);
    return notes.equivalent->shelf;
}

/// What is stored for another URI must also be valid for the one that was asked for (read your writes): with its own
/// fence, which says when the origin was asked, by the tags that the entry would have.
coherence::Validity Walk::validity(const Notes& notes, const store::Entry& entry) const noexcept {
    const auto valid = validity(entry);
    if (!notes.equivalent) return valid;
    return std::max(valid, rooms_.engine.judge(entry.parts().fence, notes.equivalent->asked_tags));
}

coherence::Validity Walk::validity(const store::Entry& entry) const noexcept {
    // The position is read before the marks: marks that come later are judged next time.
    const Sequence applied = rooms_.engine.fence();
    if (rooms_.engine.nothing_after(entry.validated_at())) return coherence::Validity::valid;
    const auto verdict = rooms_.engine.judge(entry.parts().fence, entry.parts().tags);
    if (verdict == coherence::Validity::valid) entry.note_validated(applied);
    return verdict;
}

void Walk::finish_hit(Visit& visit, base::Ref<const store::Entry> entry, Answer& out) {
    out.verdict.hit = true;
    const Presented presented = give_entry(visit, entry, out);
    if (presented.not_modified) rooms_.metrics.add(base::Counter::not_modified);
    if (presented.wanted != http::Coding::identity) want_coding(entry, presented.wanted);
    append_reuse_fields(visit, *entry, out);
    tell_limits(visit, out);
    rooms_.metrics.add(base::Counter::hits);
    if (out.verdict.detail != Detail::none) {
        if (is_stale(out.verdict.detail)) rooms_.metrics.add(base::Counter::stale_served);
        rooms_.metrics.add(out.verdict.detail);
    }
    if (visit.notes.match.route != nullptr)
        rooms_.metrics.add_origin_saved(visit.notes.match.route->origin);
    else
        rooms_.metrics.add_origin_saved(0);
}

}  // namespace etage::flow
