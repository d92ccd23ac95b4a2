// Step 7 for what leaves HTTP: the request with its Upgrade, and the 101 after which a connection is a tunnel.

#include "flow/upgrade.hpp"

#include "flow/cache_status.hpp"
#include "flow/present.hpp"
#include "flow/walk.hpp"
#include "http/h1_writer.hpp"

#include <algorithm>
#include <array>

namespace etage::flow {

namespace {

constexpr std::array<std::string_view, 4> never_tunnelled = {"h2c", "h2", "http", "tls"};

/// `protocol` is name[/version].
bool is_tunnelled(std::string_view protocol) noexcept {
    const auto name = protocol.substr(0, protocol.find('/'));
    return std::ranges::none_of(never_tunnelled, [&](std::string_view never) { return http::iequals(name, never); });
}

}  // namespace

bool wants_tunnel(const http::RequestHead& request) noexcept {
    if (!request.wants_upgrade || request.method != http::Method::get || request.has_body()) return false;
    bool wanted = false;
    http::for_each_element(request.fields, http::FieldId::upgrade,
                           [&](std::string_view protocol) { wanted = wanted || is_tunnelled(protocol); });
    return wanted;
}

std::string tunnel_protocols(const http::RequestHead& request) {
    std::string list;
    if (!wants_tunnel(request)) return list;
    http::for_each_element(request.fields, http::FieldId::upgrade, [&](std::string_view protocol) {
        if (!is_tunnelled(protocol)) return;
        if (!list.empty()) list += ", ";
        list += protocol;
    });
    return list;
}

bool Walk::may_upgrade(const http::RequestHead& request, const policy::Route* route) const noexcept {
    return wants_tunnel(request) && rooms_.origins[route != nullptr ? route->origin : 0]->can_upgrade();
}

/// The 101, with Connection and Upgrade of this hop.
void Walk::present_tunnel(Visit& visit, OriginResponse response, Answer& out) {
    out.verdict.forward = visit.notes.forward;
    out.verdict.detail = visit.notes.detail;
    out.verdict.forward_status = response.status;
    const auto fields =
        client_fields(response.fields, {visit.notes.match.route, visit.notes.per_user(), visit.now.wall});
    present_response(visit, response.status, response.reason, fields, std::nullopt, false, out);
    http::append_field(out.owned_head, http::FieldId::connection, "upgrade");
    http::append_field(out.owned_head, http::FieldId::upgrade, response.upgrade);
    out.head = out.owned_head;
    out.tunnel = std::move(response.tunnel);
    append_cache_status(out.tail, out.verdict);
    finish_forwarded(visit, out);
}

}  // namespace etage::flow
