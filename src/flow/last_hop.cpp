// Requests that end here although somebody else could answer: TRACE and OPTIONS whose Max-Forwards is used up.

#include "flow/last_hop.hpp"

#include "flow/cache_status.hpp"
#include "flow/present.hpp"
#include "flow/walk.hpp"
#include "http/h1_writer.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace etage::flow {

namespace {

constexpr std::string_view name = "Max-Forwards";
constexpr unsigned hops_most = 255;  // no way is longer; a greater value is lowered to it (RFC 9110 §7.6.2)

/// RFC 9110 §9.3.8: what is likely to be secret is not reflected.
bool is_sensitive(http::FieldId id) noexcept {
    using enum http::FieldId;
    return id == authorization || id == proxy_authorization || id == cookie;
}

/// RFC 9112 §10.1: the request as it came, as message/http.
std::string reflected(const http::RequestHead& request) {
    std::string text(request.method_text);
    text += ' ';
    text += request.target;
    text += request.minor == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
    for (const http::Field& field : request.fields)
        if (!is_sensitive(field.id)) http::append_field(text, field.name, field.value);
    return text += "\r\n";
}

}  // namespace

std::optional<unsigned> max_forwards(http::Method method, http::FieldSpan fields) noexcept {
    if (method != http::Method::trace && method != http::Method::options) return std::nullopt;
    const auto text = http::find(fields, name);
    if (!text || text->empty()) return std::nullopt;
    unsigned hops = 0;
    for (const char c : *text) {
        if (c < '0' || c > '9') return std::nullopt;
        hops = std::min(hops * 10 + static_cast<unsigned>(c - '0'), hops_most);
    }
    return hops;
}

void lower_max_forwards(http::Method method, http::Fields& fields) {
    if (const auto hops = max_forwards(method, fields); hops && *hops > 0) fields.set(name, std::to_string(*hops - 1));
}

/// True: answered here. Before an origin in this process there is no further hop: its routes decide.
bool Walk::answer_as_last_hop(Visit& visit, Answer& out) {
    const http::RequestHead& request = visit.request;
    const bool trace = request.method == http::Method::trace;
    if (rooms_.handlers_only || (!trace && request.method != http::Method::options)) return false;
    if (trace && request.has_body()) {  // RFC 9110 §9.3.8
        visit.notes.forward = Forward::none;
        answer_error(visit, Error{Blame::client, Fault::bad_request, false, "TRACE with content"}, out);
        return true;
    }
    if (max_forwards(request.method, request.fields) != 0U) return false;
    http::Fields fields;
    if (trace) fields.add(http::FieldId::content_type, "message/http");
    std::string content = trace ? reflected(request) : std::string();
    present_page(visit, client_fields(fields, {nullptr, false, visit.now.wall}), std::move(content), out);
    tell_limits(visit, out);
    return true;
}

}  // namespace etage::flow
