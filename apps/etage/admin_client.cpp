#include "admin_client.hpp"

#include "http/h1_writer.hpp"
#include "http/uri.hpp"
#include "http_client.hpp"

namespace etage::cli {
namespace {

/// Explanations and statistics are small; a dump of everything is not asked for.
constexpr std::size_t content_bytes_max = std::size_t{64} << 20;

std::string request_text(const AdminAddress& address, std::string_view method, std::string_view target,
                         std::string_view content) {
    std::string out;
    http::append_request_line(out, method, target);
    http::append_field(out, "Host", address.text());
    http::append_field(out, "Connection", "close");
    if (!address.token.empty()) http::append_field(out, "Authorization", "Bearer " + address.token);
    if (!content.empty()) {
        http::append_field(out, "Content-Type", "application/json");
        http::append_field(out, "Content-Length", std::to_string(content.size()));
    }
    return out.append("\r\n").append(content);
}

}  // namespace

std::string AdminAddress::text() const { return (host.contains(':') ? "[" + host + "]" : host) + ":" + port; }

std::expected<AdminAddress, std::string> parse_admin_address(std::string_view text) {
    std::string why;
    const std::string url = text.contains("://") ? std::string(text) : "http://" + std::string(text);
    const auto endpoint = http::parse_endpoint(url, why);
    if (!endpoint) return std::unexpected("\"" + std::string(text) + "\": " + why);
    return AdminAddress{endpoint->host, endpoint->port, {}};
}

std::expected<Reply, std::string> ask(const AdminAddress& address, std::string_view method, std::string_view target,
                                      std::string_view content, Duration timeout) {
    auto answer = call({address.host, address.port, http::method_of(method),
                        request_text(address, method, target, content), content_bytes_max},
                       timeout);
    if (answer && answer->whole) return Reply{answer->status, std::move(answer->content)};
    if (answer || answer.error().kind == HttpFailure::Kind::unusable)
        return std::unexpected(address.text() + ": the answer is not whole, or not HTTP; is this the admin address?");
    return std::unexpected(address.text() + ": " + answer.error().what);
}

}  // namespace etage::cli
