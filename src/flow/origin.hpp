#pragma once
// Whoever produces answers: a handler in this process or an upstream server. The flow owns the port, `origin/`
// implements it (DESIGN §2: the same thing).

#include "flow/interim.hpp"
#include "http/message.hpp"
#include "net/body_source.hpp"
#include "net/tunnel.hpp"
#include "policy/route.hpp"

#include <etage/error.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace etage::flow {

/// A request as the origin gets it: parsed parts, end-to-end fields only, owned (it may outlive the client). The Host
/// field is in `authority`, not in `fields`; Content-Length and Transfer-Encoding are made from
/// `content_length`/`body`.
struct OriginRequest {
    http::Method method = http::Method::get;
    std::string method_text;
    std::string target;  // origin-form: path and query as received
    std::string authority;
    http::Fields fields;
    std::shared_ptr<net::BodySource> body;        // null = no content
    std::optional<std::uint64_t> content_length;  // with a body: nothing = chunked
    std::string client_address;                   // numeric, for handlers and Forwarded
    const policy::Route* route = nullptr;         // outlives the request
    std::vector<std::string> captures;            // of the route's pattern, in order of its names
    bool expects_continue = false;                // the client holds its content back (RFC 9110 §10.1.1)
    std::shared_ptr<InterimSink> interim;         // who is told of 1xx responses; null = nobody
    std::string upgrade;                          // protocols to switch to (RFC 9110 §7.8); "" = none
};

struct OriginResponse {
    int status = 200;
    std::string reason;
    http::Fields fields;                          // end-to-end fields; no Content-Length
    std::optional<std::uint64_t> content_length;  // of the content that would be sent (also for HEAD)
    std::shared_ptr<net::BodySource> body;        // null: `content` is everything there is
    std::string content;                          // complete content, when the origin is a handler
    std::vector<std::string> tags;                // surrogate keys a handler names beside the fields
    std::vector<std::string> invalidates;         // surrogate keys to invalidate, after a handler's commit
    std::uint8_t minor = 1;                       // of the HTTP/1.x it came with
    std::string upgrade;                          // with 101: the protocol that is spoken now, one that was asked for
    std::shared_ptr<net::Tunnel> tunnel;          // … and the connection
};

/// Reads the body to its end into `content`. Law 9: what is incomplete is an error.
asio::awaitable<Result<void>> read_whole(OriginResponse& response);

/// There was no call at all: its budget is spent, or the origin has as many under way as it takes.
inline bool was_not_asked(const Error& error) noexcept {
    return error.fault == Fault::budget_spent || error.fault == Fault::origin_busy;
}

/// Thread-safe. The coroutine runs on the caller's executor and returns there.
class Origin {
public:
    virtual ~Origin() = default;

    /// Errors: origin_unreachable, origin_timeout, origin_protocol, origin_incomplete (blame origin), overloaded,
    /// budget_spent, origin_busy (us), or the error of request.body (blame client). `retryable` = certainly nothing was
    /// processed.
    virtual asio::awaitable<Result<OriginResponse>> fetch(OriginRequest request) = 0;

    /// Whether OriginRequest::upgrade means anything here. One that cannot ignores it.
    virtual bool can_upgrade() const noexcept { return false; }
};

}  // namespace etage::flow
