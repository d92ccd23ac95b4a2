#include "gateway/admin.hpp"

#include "gateway/config_read.hpp"
#include "gateway/exposition.hpp"
#include "gateway/purge_request.hpp"
#include "gateway/status_page.hpp"
#include "http/date.hpp"
#include "http/problem.hpp"

#include <array>
#include <exception>

namespace etage::gateway {
namespace {

using http::FieldId;
using http::Method;

constexpr std::string_view json_type = "application/json";
constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view html_type = "text/html; charset=utf-8";

}  // namespace

struct Admin::Page {
    int status = 200;
    std::string_view media_type = json_type;
    std::string content;
    std::string_view allow;       // with 405
    bool challenge = false;       // with 401
    std::string security_policy;  // of the HTML page

    static Page problem(int status, std::string_view detail) {
        Page page;
        page.status = status;
        page.media_type = http::problem_media_type;
        page.content = http::problem_json(status, "", "", detail);
        return page;
    }
    static Page problem(const Error& error) {
        Page page = problem(fault_status(error.fault), error.what);
        page.content = http::problem_json(page.status, fault_name(error.fault), "", error.what);
        return page;
    }
};

struct Admin::Door {
    std::string_view path;
    Method method;
    bool guarded;
};

const Admin::Door Admin::doors[] = {
    {"/", Method::get, false},          {"/healthz", Method::get, false}, {"/readyz", Method::get, false},
    {"/stats.json", Method::get, true}, {"/metrics", Method::get, true},  {"/explain", Method::get, true},
    {"/purge", Method::post, true},     {"/reload", Method::post, true},
};

namespace {

/// Writes head and body of an answer that nobody may keep.
template <class Page>
void write(const Page& page, Now now, flow::Answer& out) {
    std::string& head = out.owned_head;
    head.clear();
    http::append_status_line(head, page.status);
    std::array<char, 29> date;
    http::append_field(head, FieldId::date, http::format_date(date, now.wall));
    http::append_field(head, FieldId::content_type, page.media_type);
    http::append_field(head, FieldId::content_length, std::to_string(page.content.size()));
    http::append_field(head, FieldId::cache_control, "no-store");
    http::append_field(head, "X-Content-Type-Options", "nosniff");
    if (!page.allow.empty()) http::append_field(head, FieldId::allow, page.allow);
    if (page.challenge) http::append_field(head, FieldId::www_authenticate, "Bearer realm=\"etage\"");
    if (!page.security_policy.empty()) http::append_field(head, "Content-Security-Policy", page.security_policy);
    out.status = page.status;
    out.head = head;
    out.owned_body = base::make_bytes(page.content);
    out.body = out.owned_body->view();
}

/// The whole content of a request, or why not.
asio::awaitable<Result<std::string>> read_all(net::BodySource* body) {
    std::string content;
    while (body != nullptr) {
        const auto piece = co_await body->read();
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) break;
        if (content.size() + piece->size() > admin_body_bytes_max)
            co_return failure(Blame::client, Fault::payload_too_large,
                              "at most " + std::to_string(admin_body_bytes_max) + " bytes");
        content += *piece;
    }
    co_return content;
}

/// One `header=Name:value`.
bool add_field(http::Fields& fields, std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    const auto name = line.substr(0, colon);
    auto value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    while (value.ends_with(' ')) value.remove_suffix(1);
    if (!http::is_token(name) || !http::is_field_value(value)) return false;
    fields.add(name, value);
    return true;
}

std::expected<ExplainRequest, std::string> parse_explain_query(std::string_view query) {
    static constexpr std::array<std::string_view, 2> names = {"url", "header"};
    ExplainRequest request;
    std::string wrong;
    http::for_each_parameter(query, [&](std::string_view name, std::string_view raw, bool) {
        const auto value = http::percent_decode(raw, true);
        if (!value)
            wrong = "a percent-encoding is broken";
        else if (name == "url")
            request.url = *value;
        else if (name != "header")
            wrong = "unknown parameter \"" + std::string(name) + "\"" + suggestion(name, names);
        else if (!add_field(request.fields, *value))
            wrong = "\"" + *value + "\" is no header; write header=Name:value";
    });
    if (!wrong.empty()) return std::unexpected(wrong);
    if (request.url.empty()) return std::unexpected("say which URL: /explain?url=/posts");
    return request;
}

}  // namespace

Admin::Admin(House& house, const AdminConfig& config, base::Log& log)
    : house_(house), log_(log), by_(config.token.empty() ? "loopback" : "token"), guard_(config.token, config.listen) {}

bool Admin::answer_now(flow::Visit&, flow::Answer&) noexcept { return false; }

asio::awaitable<void> Admin::answer(flow::Visit& visit, std::shared_ptr<net::BodySource> body, flow::Answer& out) {
    Page page;
    try {
        page = co_await open(visit, body.get());
    } catch (const std::exception& e) {
        page = Page::problem(500, e.what());
    }
    write(page, visit.now, out);
    out.head_only = visit.request.method == Method::head;
}

void Admin::refuse(Fault fault, std::string_view why, flow::Answer& out) noexcept {
    // There is no visit, hence no clock: RFC 9110 §6.6.1 lets an error without one go without Date.
    const std::string content = http::problem_json(fault_status(fault), "", "", why);
    http::append_status_line(out.owned_head, fault_status(fault));
    http::append_field(out.owned_head, FieldId::content_type, http::problem_media_type);
    http::append_field(out.owned_head, FieldId::content_length, std::to_string(content.size()));
    out.status = fault_status(fault);
    out.head = out.owned_head;
    out.owned_body = base::make_bytes(content);
    out.body = out.owned_body->view();
    out.close = true;
}

asio::awaitable<Admin::Page> Admin::open(flow::Visit& visit, net::BodySource* body) {
    const http::RequestHead& request = visit.request;
    const Door* door = nullptr;
    for (const Door& each : doors)
        if (each.path == request.path) door = &each;
    if (door == nullptr)
        co_return Page::problem(404,
                                "there is /, /healthz, /readyz, /stats.json, /metrics, /explain, /purge and /reload");

    const bool head = request.method == Method::head && door->method == Method::get;
    if (request.method != door->method && !head) {
        Page page = Page::problem(405, "see Allow");
        page.allow = door->method == Method::get ? "GET, HEAD" : "POST";
        co_return page;
    }
    if (const auto refusal = door->guarded ? guard_.check(request) : std::nullopt) {
        Page page = Page::problem(refusal->status, refusal->detail);
        page.challenge = refusal->status == 401;
        co_return page;
    }

    Page page;
    if (door->path == "/purge")
        page = co_await purge(visit, body);
    else if (door->path == "/explain")
        page = co_await explain(request.query);
    else if (door->path == "/reload")
        page = co_await reload(visit);
    else if (door->path == "/readyz")
        page = ready(visit.now);
    else if (door->path == "/healthz")
        page.content = "{\"status\":\"ok\"}\n";
    else if (door->path == "/stats.json")
        page.content = stats_json(house_.metrics(), house_.snapshot(visit.now));
    else if (door->path == "/metrics")
        page = {200, exposition_media_type, expose(house_.metrics(), house_.snapshot(visit.now)), {}, false, {}};
    else
        page = {200, html_type, std::string(status_page()), {}, false, status_page_policy()};
    co_return page;
}

Admin::Page Admin::ready(Now now) const {
    const Snapshot snapshot = house_.snapshot(now);
    if (!snapshot.ready) return Page::problem(503, "not serving yet, or not any more");
    Page page;
    page.content = "{\"status\":";
    http::append_json_string(page.content, snapshot.degraded.empty() ? "ready" : "degraded");
    if (!snapshot.degraded.empty()) {
        page.content += ",\"reason\":";
        http::append_json_string(page.content, snapshot.degraded);
    }
    page.content += "}\n";
    return page;
}

asio::awaitable<Admin::Page> Admin::purge(const flow::Visit& visit, net::BodySource* body) {
    const Result<std::string> content = co_await read_all(body);
    if (!content) co_return Page::problem(content.error());
    auto request = parse_purge_request(*content);
    if (!request) co_return Page::problem(400, request.error());
    const std::string what = words_of(*request) + (request->soft ? " (soft)" : "");
    const Result<PurgeReceipt> receipt = co_await house_.purge(std::move(*request));
    note(visit, what, receipt);
    if (!receipt) co_return Page::problem(receipt.error());
    Page page;
    page.content = purge_receipt_json(*receipt);
    co_return page;
}

/// Who changed what: administration is the one place where somebody else's answers can be taken away.
void Admin::note(const flow::Visit& visit, const std::string& what, const Result<PurgeReceipt>& receipt) {
    if (!receipt)
        return log_.warn("purge failed", {{"client", visit.client_address},
                                          {"by", by_},
                                          {"what", what},
                                          {"fault", fault_name(receipt.error().fault)},
                                          {"why", receipt.error().what}});
    const std::string sequence = std::to_string(receipt->sequence);
    log_.info("purged", {{"client", visit.client_address},
                         {"by", by_},
                         {"what", what},
                         {"seq", sequence},
                         {"confirmed", static_cast<std::int64_t>(receipt->confirmed)},
                         {"live", static_cast<std::int64_t>(receipt->live)}});
}

asio::awaitable<Admin::Page> Admin::explain(std::string_view query) {
    auto request = parse_explain_query(query);
    if (!request) co_return Page::problem(400, request.error());
    Result<std::string> explanation = co_await house_.explain(std::move(*request));
    if (!explanation) co_return Page::problem(explanation.error());
    Page page;
    page.content = std::move(*explanation);
    co_return page;
}

asio::awaitable<Admin::Page> Admin::reload(const flow::Visit& visit) {
    log_.info("reload asked for", {{"client", visit.client_address}, {"by", by_}});
    const auto applied = co_await house_.reload();
    Page page;
    if (!applied) {  // RFC 9110 §15.5.21
        page.status = 422;
        page.media_type = text_type;
        page.content = applied.error().text();
        co_return page;
    }
    page.content = "{\"status\":\"applied\",\"routes\":" + std::to_string(applied->routes) +
                   ",\"limits\":" + std::to_string(applied->limits) +
                   ",\"origins\":" + std::to_string(applied->origins) + "}\n";
    co_return page;
}

}  // namespace etage::gateway
