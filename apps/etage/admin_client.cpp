#include "admin_client.hpp"

#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"
#include "http/uri.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <optional>

namespace etage::cli {
namespace {

using asio::ip::tcp;

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

/// Everything the server sends until it closes.
asio::awaitable<std::string> exchange(tcp::socket& socket, const AdminAddress& address, const std::string& request) {
    tcp::resolver resolver(socket.get_executor());
    const auto endpoints = co_await resolver.async_resolve(address.host, address.port, asio::use_awaitable);
    co_await asio::async_connect(socket, endpoints, asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
    std::string answer;
    asio::error_code ended;  // by the server's close, or by a reset after it
    co_await asio::async_read(socket, asio::dynamic_buffer(answer), asio::redirect_error(asio::use_awaitable, ended));
    co_return answer;
}

std::optional<Reply> parse_reply(std::string_view bytes) {
    http::HeadParser parser;
    http::FieldSlots slots;
    http::ResponseHead head;
    if (parser.parse_response(bytes, http::Method::get, slots, head).state != http::ParseState::complete)
        return std::nullopt;
    const std::string_view content = bytes.substr(head.head_bytes);
    if (head.body != http::BodyKind::length || content.size() != head.content_length) return std::nullopt;
    return Reply{head.status, std::string(content)};
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
    asio::io_context io;
    tcp::socket socket(io);
    const std::string request = request_text(address, method, target, content);
    std::optional<std::string> answer;
    std::string failed = "no answer in time";
    asio::co_spawn(io, exchange(socket, address, request), [&](std::exception_ptr error, std::string got) {
        try {
            if (error) std::rethrow_exception(error);
            answer = std::move(got);
        } catch (const std::exception& e) {
            failed = e.what();
        }
    });
    io.run_for(timeout);
    if (!answer) return std::unexpected(address.text() + ": " + failed);
    auto reply = parse_reply(*answer);
    if (!reply)
        return std::unexpected(address.text() + ": the answer is not whole, or not HTTP; is this the admin address?");
    return std::move(*reply);
}

}  // namespace etage::cli
