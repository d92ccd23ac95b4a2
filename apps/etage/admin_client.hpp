#pragma once
// A tiny HTTP client for the administration of a running Etage: one request, one connection, blocking.

#include <etage/time.hpp>

#include <expected>
#include <string>
#include <string_view>

namespace etage::cli {

struct AdminAddress {
    std::string host;
    std::string port;
    std::string token;         // empty = none is sent
    std::string text() const;  // "127.0.0.1:8081"
};

/// "127.0.0.1:8081", "admin.internal:8081", or the same behind "http://". The error is for people.
std::expected<AdminAddress, std::string> parse_admin_address(std::string_view text);

struct Reply {
    int status = 0;
    std::string content;
};

/// Sends `method target` with `content` (JSON, when not empty) and waits for the whole answer. The error says what
/// failed: connection, timeout, or an answer that is not HTTP.
std::expected<Reply, std::string> ask(const AdminAddress& address, std::string_view method, std::string_view target,
                                      std::string_view content, Duration timeout);

}  // namespace etage::cli
