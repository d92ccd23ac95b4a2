// Step 7 for one: requests as the origin gets them, answers that are not shared, and what an answer invalidates.

#include "base/clock.hpp"
#include "coherence/tag.hpp"
#include "flow/cache_status.hpp"
#include "flow/forwarded.hpp"
#include "flow/last_hop.hpp"
#include "flow/plan.hpp"
#include "flow/present.hpp"
#include "flow/recoding.hpp"
#include "flow/tags.hpp"
#include "flow/upgrade.hpp"
#include "flow/walk.hpp"
#include "http/etag.hpp"
#include "policy/invalidate.hpp"
#include "policy/key.hpp"
#include "policy/storable.hpp"
#include "policy/targeted.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace etage::flow {

namespace {

/// Law 3: what a client could use to make the origin answer for another host, path, method or peer than the key says.
/// Or what no client has any business to say to an origin: Proxy becomes HTTP_PROXY (httpoxy).
constexpr std::array dangerous_prefixes = {
    std::string_view("x-forward"),      std::string_view("x-original-"),   std::string_view("x-originating-"),
    std::string_view("x-rewrite-"),     std::string_view("x-override-"),   std::string_view("x-http-"),
    std::string_view("x-method-"),      std::string_view("x-host"),        std::string_view("x-real-"),
    std::string_view("x-client-ip"),    std::string_view("x-remote-"),     std::string_view("x-cluster-client-ip"),
    std::string_view("true-client-ip"), std::string_view("client-ip"),     std::string_view("cf-connecting-ip"),
    std::string_view("fastly-client-"), std::string_view("x-proxy"),       std::string_view("proxy"),
    std::string_view("x-scheme"),       std::string_view("x-https"),       std::string_view("front-end-https"),
    std::string_view("x-url"),          std::string_view("x-base-url"),    std::string_view("base-url"),
    std::string_view("x-path-"),        std::string_view("x-wap-profile"), std::string_view("x-server-name"),
    std::string_view("x-middleware-"),
};

bool is_dangerous(const http::Field& field) noexcept {
    return field.id == http::FieldId::forwarded || std::ranges::any_of(dangerous_prefixes, [&](auto prefix) {
               return http::iequals_as_cgi(field.name.substr(0, prefix.size()), prefix);
           });
}

/// User_Agent is User-Agent to an origin that speaks CGI: no field that we or the route know has such a double.
bool is_alias(const http::Field& field, const policy::Route* route) {
    if (field.name.find('_') == std::string_view::npos) return false;
    std::string dashed(field.name);
    std::ranges::replace(dashed, '_', '-');
    return http::field_id(dashed) != http::FieldId::unknown || policy::is_keyed(route, dashed) ||
           (route != nullptr && http::iequals(route->policy.identity.header.value_or(""), dashed));
}

/// Law 6: a fill asks for the whole, unconditional, identity representation; what this client alone wants stays here.
bool is_for_this_client_only(const http::Field& field) noexcept {
    switch (field.id) {
        case http::FieldId::if_match:
        case http::FieldId::if_none_match:
        case http::FieldId::if_modified_since:
        case http::FieldId::if_unmodified_since:
        case http::FieldId::if_range:
        case http::FieldId::range:
        case http::FieldId::expect:
        case http::FieldId::accept_encoding: return true;
        default: return http::iequals(field.name, "max-forwards");  // means nothing with GET (RFC 9110 §7.6.2)
    }
}

/// RFC 9110 §7.6.3: with the protocol version that the message was received with. `via` is "1.1 pseudonym".
std::string received_with(std::uint8_t minor, std::string_view via) {
    return (minor == 0 ? "1.0" : "1.1") + std::string(via.substr(3));
}

/// A call counts when it has ended, also when whoever waited for it is gone: only then it is known to have been one.
class CountedCall {
public:
    CountedCall(base::Metrics& metrics, std::size_t origin) noexcept : metrics_(metrics), origin_(origin) {}
    ~CountedCall() {
        if (!counts_) return;
        metrics_.add(base::Counter::origin_fetches);
        metrics_.add_origin_call(origin_);
    }
    CountedCall(const CountedCall&) = delete;
    CountedCall& operator=(const CountedCall&) = delete;
    void was_none() noexcept { counts_ = false; }

private:
    base::Metrics& metrics_;
    std::size_t origin_;
    bool counts_ = true;
};

}  // namespace

OriginRequest origin_request(const http::RequestHead& request, std::string_view scheme, std::string_view client,
                             const policy::Match& match, bool fill, std::string_view via) {
    OriginRequest out;
    const bool as_get = fill && request.method == http::Method::head;
    out.method = as_get ? http::Method::get : request.method;
    out.method_text = as_get ? http::method_name(http::Method::get) : request.method_text;
    out.target = policy::forwarded_target(match.route, request);
    out.authority = policy::forwarded_authority(request);
    out.fields = http::Fields(request.fields);
    http::remove_hop_by_hop(out.fields);
    out.fields.remove_if([&](const http::Field& field) {
        return field.id == http::FieldId::host || field.id == http::FieldId::etage_min_seq || is_dangerous(field) ||
               is_alias(field, match.route) || http::iequals(field.name, "surrogate-capability") ||
               (fill && is_for_this_client_only(field));
    });
    if (!via.empty()) {
        out.fields.add(http::FieldId::via, received_with(request.minor, via));
        out.fields.add(http::FieldId::x_forwarded_for, client);
        out.fields.add(http::FieldId::x_forwarded_proto, scheme);
        out.fields.add(http::FieldId::x_forwarded_host, out.authority);
        out.fields.add("Surrogate-Capability", policy::surrogate_capability);
    }
    out.client_address = client;
    out.route = match.route;
    if (match.route != nullptr)
        for (std::size_t i = 0; i < match.route->capture_names.size(); ++i)
            out.captures.emplace_back(match.captures[i]);
    return out;
}

OriginRequest Walk::request_for(const http::RequestHead& request, std::string_view scheme, std::string_view client,
                                const policy::Match& match, bool fill) const {
    return origin_request(request, scheme, client, match, fill, rooms_.via);
}

asio::awaitable<Result<OriginResponse>> Walk::fetch(OriginRequest request) {
    const std::size_t index = request.route != nullptr ? request.route->origin : 0;
    const std::string target = request.target;
    CountedCall call(rooms_.metrics, index);
    auto response = co_await rooms_.origins[index]->fetch(std::move(request));
    if (!response && was_not_asked(response.error())) {
        call.was_none();
        co_return response;
    }
    if (response && !rooms_.via.empty())
        response->fields.add(http::FieldId::via, received_with(response->minor, rooms_.via));
    if (!response && response.error().blame != Blame::client) {
        rooms_.metrics.add(base::Counter::origin_errors);
        rooms_.log.warn(
            "origin failed",
            {{"target", target}, {"fault", fault_name(response.error().fault)}, {"what", response.error().what}});
    }
    co_return response;
}

asio::awaitable<void> Walk::forward_alone(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out) {
    if (answer_as_last_hop(visit, out)) co_return;
    auto request = request_for(visit.request, visit.scheme, visit.client_address, visit.notes.match, false);
    http::add_original_tags(request.fields);
    request.interim = visit.interim;
    request.expects_continue = visit.request.expects_continue;
    if (visit.notes.detail == Detail::upgrade) request.upgrade = tunnel_protocols(visit.request);
    if (!rooms_.handlers_only) lower_max_forwards(request.method, request.fields);
    if (body) {
        request.body = std::move(body);
        if (visit.request.body == http::BodyKind::length) request.content_length = visit.request.content_length;
    }
    const Sequence began = rooms_.engine.fence();
    const Now asked = base::read_clock();
    auto response = co_await fetch(std::move(request));
    if (!response) co_return answer_error(visit, response.error(), out);
    if (response->tunnel) co_return present_tunnel(visit, std::move(*response), out);
    const std::uint64_t length = response->content_length.value_or(response->body ? ~std::uint64_t{0} : 0);
    if (length <= rooms_.limits.collect_bytes_max &&
        policy::answers_get(visit.request, visit.scheme, response->status, response->fields))
        co_await answer_post(visit, std::move(*response), began, asked, out);
    else
        co_await present_origin_response(visit, std::move(*response), out);
}

namespace {

/// By who asked, or by what kept it from the shelf.
bool is_for_one(const Visit& visit) noexcept {
    using enum Detail;
    const Detail why = visit.notes.detail;
    return has_credentials(visit) || why == authorization || why == private_ || why == no_store || why == set_cookie ||
           why == not_shareable;
}

}  // namespace

asio::awaitable<void> Walk::present_origin_response(Visit& visit, OriginResponse response, Answer& out) {
    Invalidation invalidation;
    if (policy::invalidates(visit.request.method, response.status)) invalidation = invalidation_of(visit, response);
    out.verdict.forward = visit.notes.forward;
    out.verdict.detail = visit.notes.detail;
    out.verdict.forward_status = response.status;
    auto fields = client_fields(response.fields,
                                {visit.notes.match.route, visit.notes.per_user(), visit.now.wall, is_for_one(visit)});
    // An answer that is not from the shelf keeps what the origin said of its age.
    if (const auto age = http::find(response.fields, http::FieldId::age)) fields.add(http::FieldId::age, *age);
    const bool head = visit.request.method == http::Method::head;
    if (!response.body && !response.content_length && !head) response.content_length = response.content.size();
    Content content{{response.status, response.fields, response.content_length, visit.notes.match.route},
                    response.reason,
                    std::move(fields),
                    std::move(response.body),
                    nullptr};
    if (!content.stream) content.whole = base::make_bytes(std::move(response.content));
    present_content(visit, std::move(content), out);
    if (!invalidation.targets.empty()) co_await invalidate_after(visit, std::move(invalidation), out);
    append_cache_status(out.tail, out.verdict);
    finish_forwarded(visit, out);
}

/// RFC 9111 §4.4, and what the route and the origin name.
Invalidation Walk::invalidation_of(const Visit& visit, const OriginResponse& response) const {
    Invalidation out;
    const auto add = [&](Target::Kind kind) {
        return [&out, kind](std::string_view text) { out.targets.push_back({kind, std::string(text)}); };
    };
    policy::collect_invalidations(visit.request, visit.scheme, response.fields, visit.notes.match,
                                  {add(Target::Kind::tag), add(Target::Kind::group), add(Target::Kind::url)});
    std::ranges::for_each(response.invalidates, add(Target::Kind::tag));
    return out;
}

/// Rule 6: before the client hears of its success, nothing older may be served any more. What the log could not record
/// holds here, and gets no token; the write has happened all the same.
asio::awaitable<void> Walk::invalidate_after(Visit& visit, Invalidation invalidation, Answer& out) {
    const Instant deadline = base::read_clock().mono + rooms_.limits.remote_budget;
    const auto token = co_await rooms_.invalidations.invalidate(std::move(invalidation), deadline);
    if (!token) {
        out.verdict.detail = Detail::not_recorded;
        rooms_.log.warn("invalidation not recorded", {{"path", visit.request.path}, {"why", token.error().what}});
        co_return;
    }
    out.tail.begin("Etage-Seq: ");
    out.tail.number(static_cast<std::int64_t>(*token));
    out.tail.end();
}

}  // namespace etage::flow
