// What is left to the client that asks: as a page for people, as JSON for programs. Takes nothing of any limit.

#include "base/escape.hpp"
#include "flow/present.hpp"
#include "flow/shape.hpp"
#include "flow/walk.hpp"
#include "http/problem.hpp"

namespace etage::flow {

namespace {

constexpr std::string_view page_head =
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
    "<title>Your limits</title><style>body{font:16px system-ui;margin:2rem auto;max-width:44rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.5rem .75rem;"
    "border-bottom:1px solid #8884}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "progress{width:8rem}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}</style>"
    "<h1>Your limits</h1>";

std::int64_t seconds_of(Duration d) { return std::chrono::ceil<std::chrono::seconds>(d).count(); }

std::string_view algorithm_name(const Limit& limit) {
    switch (limit.policy.algorithm) {
        case LimitPolicy::Algorithm::token_bucket: return "token_bucket";
        case LimitPolicy::Algorithm::fixed_window: return "fixed_window";
        case LimitPolicy::Algorithm::sliding_window: return "sliding_window";
        case LimitPolicy::Algorithm::concurrency: return "concurrency";
    }
    return {};
}

std::uint64_t limit_of(const Limit& limit) { return limit.is_concurrency() ? limit.policy.max : limit.quota.most(); }

std::string json_of(const Standing& standing) {
    const Limit& limit = *standing.limit;
    std::string out = "{\"name\":";
    http::append_json_string(out, limit.policy.name);
    out += ",\"route\":";
    standing.route.empty() ? void(out += "null") : http::append_json_string(out, standing.route);
    ((out += ",\"algorithm\":\"") += algorithm_name(limit)) += "\",\"limit\":" + std::to_string(limit_of(limit));
    out += ",\"remaining\":" + std::to_string(standing.decision.remaining);
    if (limit.is_concurrency()) return out += '}';
    out += ",\"quota\":" + std::to_string(limit.policy.quota);
    out += ",\"window_s\":" + std::to_string(seconds_of(limit.policy.window));
    return out += ",\"reset_s\":" + std::to_string(seconds_of(standing.decision.reset_after)) + '}';
}

std::string row_of(const Standing& standing) {
    const Limit& limit = *standing.limit;
    const std::string most = std::to_string(limit_of(limit));
    const std::string left = std::to_string(standing.decision.remaining);
    std::string out = "<tr><td>";
    base::append_html_escaped(out, limit.policy.name);
    base::append_html_escaped(out += "<td>", standing.route.empty() ? "everything" : standing.route);
    out += "<td class=n>" + left + " of " + most + "<td><progress max=" + most + " value=" + left +
           "></progress><td class=n>";
    if (!limit.is_concurrency()) out += std::to_string(seconds_of(standing.decision.reset_after)) + " s";
    return out;
}

std::string page_of(const std::vector<Standing>& standings) {
    std::string out(page_head);
    if (standings.empty()) return out += "<p>Nothing limits you here.";
    out += "<table><tr><th>limit<th>of<th>left<th><th>whole again in";
    for (const Standing& standing : standings) out += row_of(standing);
    return out += "</table>";
}

bool wants_page(const http::RequestHead& request) {
    const auto accept = http::find(request.fields, http::FieldId::accept);
    return accept && accept->find("text/html") != std::string_view::npos;
}

}  // namespace

void Walk::answer_limits_page(Visit& visit, Answer& out) {
    const auto standings = rooms_.gate.look(visit.request, visit.client_address, visit.now);
    std::string content;
    http::Fields fields;
    if (wants_page(visit.request)) {
        content = page_of(standings);
        fields.add(http::FieldId::content_type, "text/html; charset=utf-8");
    } else {
        content = "{\"limits\":[";
        for (const Standing& standing : standings) (content += content.ends_with('[') ? "" : ",") += json_of(standing);
        content += "]}\n";
        fields.add(http::FieldId::content_type, "application/json");
    }
    fields.add(http::FieldId::cache_control, "no-store");
    fields.add(http::FieldId::vary, "Accept");
    present_page(visit, client_fields(fields, {nullptr, false, visit.now.wall}), std::move(content), out);
}

}  // namespace etage::flow
