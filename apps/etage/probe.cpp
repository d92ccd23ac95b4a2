#include "probe.hpp"

#include "base/clock.hpp"
#include "http/etag.hpp"
#include "http/h1_writer.hpp"
#include "http/uri.hpp"

#include <etage/version.hpp>

#include <algorithm>
#include <optional>

namespace etage::cli {
namespace {

using http::FieldId;

constexpr Duration patience = std::chrono::seconds(5);
constexpr std::size_t content_bytes_max = std::size_t{1} << 20;

/// Fields that each request of a check has its own value of.
constexpr FieldId ours[] = {FieldId::accept_encoding, FieldId::connection, FieldId::content_length,
                            FieldId::expect,          FieldId::if_match,   FieldId::if_modified_since,
                            FieldId::if_none_match,   FieldId::if_range,   FieldId::if_unmodified_since,
                            FieldId::range,           FieldId::te,         FieldId::transfer_encoding,
                            FieldId::upgrade};

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::expected<void, std::string> add_header(http::Fields& fields, std::string_view header) {
    const auto colon = header.find(':');
    const auto name = header.substr(0, colon);
    if (colon == std::string_view::npos || !http::is_token(name))
        return std::unexpected("--header " + quoted(header) + ": write 'Name: value'");
    const auto value = http::trim(header.substr(colon + 1));
    if (!http::is_field_value(value))
        return std::unexpected("--header " + quoted(name) +
                               ": the value holds characters that no header field may hold");
    if (std::ranges::find(ours, http::field_id(name)) != std::end(ours))
        return std::unexpected("--header " + quoted(name) + ": the check sends its own");
    fields.add(name, value);
    return {};
}

class Prober {
public:
    Prober(const ProbeTarget& target, const ProbeSend& send) : target_(target), send_(send) {}

    std::expected<Probed, std::string> run() {
        auto first = ask({});
        if (!first) return std::unexpected(target_.url + ": " + first.error().what);
        out_.seen.first = std::move(*first);
        try_to(out_.seen.again, "the second GET", {});
        if (out_.seen.first.status == 200) try_conditional();
        try_to(out_.seen.gzip, "GET with Accept-Encoding: gzip", {.coding = "gzip"});
        try_to(out_.seen.head, "HEAD", {.method = http::Method::head});
        if (has_credentials()) try_to(out_.seen.anonymous, "GET without credentials", {.credentials = false});
        return std::move(out_);
    }

private:
    struct Ask {
        http::Method method = http::Method::get;
        std::string_view coding = "identity";
        FieldId condition = FieldId::unknown;
        std::string_view validator{};
        bool credentials = true;
    };

    static bool is_credential(const http::Field& field) noexcept {
        return field.id == FieldId::authorization || field.id == FieldId::cookie;
    }
    bool has_credentials() const noexcept { return std::ranges::any_of(target_.fields.span(), is_credential); }

    void try_conditional() {
        const http::FieldSpan fields = out_.seen.first.fields;
        const auto etag = http::find(fields, FieldId::etag);
        const auto modified = http::find(fields, FieldId::last_modified);
        if (etag && http::parse_entity_tag(*etag))
            try_to(out_.seen.conditional, "GET with If-None-Match",
                   {.condition = FieldId::if_none_match, .validator = *etag});
        else if (modified)
            try_to(out_.seen.conditional, "GET with If-Modified-Since",
                   {.condition = FieldId::if_modified_since, .validator = *modified});
    }

    void try_to(std::optional<gateway::Observed>& into, std::string name, const Ask& what) {
        auto answer = ask(what);
        if (answer)
            into = std::move(*answer);
        else
            out_.seen.unanswered.emplace_back(std::move(name), answer.error().what);
    }

    std::expected<gateway::Observed, HttpFailure> ask(const Ask& what) {
        ++out_.requests;
        auto answer = send_({target_.host, target_.port, what.method, request_text(what), content_bytes_max});
        if (!answer) return std::unexpected(answer.error());
        return gateway::Observed{answer->status, std::move(answer->fields), answer->framing, std::move(answer->content),
                                 answer->whole,  base::read_clock().wall};
    }

    std::string request_text(const Ask& what) const {
        std::string out;
        http::append_request_line(out, http::method_name(what.method), target_.target);
        const auto own = [&](FieldId id, std::string_view otherwise) {
            if (!http::contains(target_.fields, id)) http::append_field(out, id, otherwise);
        };
        own(FieldId::host, target_.authority);
        own(FieldId::user_agent, "etage-check/" + std::string(version));
        own(FieldId::accept, "*/*");
        for (const http::Field& field : target_.fields.span())
            if (what.credentials || !is_credential(field)) http::append_field(out, field.name, field.value);
        http::append_field(out, FieldId::accept_encoding, what.coding);
        if (what.condition != FieldId::unknown) http::append_field(out, what.condition, what.validator);
        http::append_field(out, FieldId::connection, "close");
        return out + "\r\n";
    }

    const ProbeTarget& target_;
    const ProbeSend& send_;
    Probed out_;
};

}  // namespace

std::expected<ProbeTarget, std::string> parse_probe_target(std::string_view url,
                                                           const std::vector<std::string>& headers) {
    const std::string whole = url.contains("://") ? std::string(url) : "http://" + std::string(url);
    if (whole.starts_with("https://"))
        return std::unexpected(quoted(url) +
                               ": https is not in this version; ask the server behind the TLS proxy, over http");
    const auto end = std::min(whole.find_first_of("/?#", whole.find("://") + 3), whole.size());
    std::string why;
    const auto endpoint = http::parse_endpoint(whole.substr(0, end), why);
    if (!endpoint) return std::unexpected(quoted(url) + ": " + why);
    std::string target = whole.substr(end, whole.find('#', end) - end);
    if (!target.starts_with('/')) target.insert(0, "/");
    if (std::ranges::any_of(target, [](char c) { return c <= ' ' || c > '~'; }))
        return std::unexpected(quoted(url) + ": percent-encode spaces and what is not ASCII");
    ProbeTarget out{whole, endpoint->host, endpoint->port, endpoint->authority(), std::move(target), {}};
    for (const std::string& header : headers)
        if (const auto added = add_header(out.fields, header); !added) return std::unexpected(added.error());
    return out;
}

std::expected<Probed, std::string> probe(const ProbeTarget& target, const ProbeSend& send) {
    return Prober(target, send).run();
}

std::expected<HttpAnswer, HttpFailure> send_probe(const HttpCall& one) { return call(one, patience); }

}  // namespace etage::cli
