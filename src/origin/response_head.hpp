#pragma once
// Reading the head of an upstream's answer, bounded in size and time. Interim responses on the way are told to whoever
// waits for the answer (RFC 9110 §15.2).

#include "flow/origin.hpp"
#include "http/h1_parser.hpp"
#include "http/message.hpp"
#include "origin/upstream_connection.hpp"
#include "origin/upstream_options.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <string_view>

namespace etage::origin {

class ResponseHeadReader {
public:
    /// All outlive the reader.
    ResponseHeadReader(UpstreamConnection& connection, const UpstreamOptions& options,
                       const flow::OriginRequest& request) noexcept;

    enum class Outcome : std::uint8_t {
        complete,   // head() is there, its bytes still buffered
        malformed,  // why() says what is wrong
        ended,      // the connection ended first; began() tells whether anything had come
        timed_out,
    };

    asio::awaitable<Outcome> read();

    /// Looks at what has arrived, without waiting. True when read() would not wait: the head of the final answer is
    /// there, or there will be none.
    bool answered() noexcept;

    /// Waits, for a bounded time, until the upstream asks for the content with 100 (Continue). True: send it, asked or
    /// not (RFC 9110 §10.1.1: a client waits, but not for ever). False: answered().
    asio::awaitable<bool> content_wanted();

    /// The final answer, or 101 to a request that wanted it. Borrows from the connection's buffer and slots.
    const http::ResponseHead& head() const noexcept { return head_; }
    std::string_view why() const noexcept { return why_; }
    /// A byte of an answer, interim or final, has arrived.
    bool began() const noexcept { return interims_ > 0 || !connection_.buffered().empty(); }

private:
    http::ParseState parse() noexcept;
    http::ParseState malformed(std::string_view why) noexcept;
    bool switches_as_asked() const noexcept;
    void tell() noexcept;

    UpstreamConnection& connection_;
    const UpstreamOptions& options_;
    const flow::OriginRequest& request_;
    http::HeadParser parser_;
    http::ResponseHead head_;
    std::string_view why_;
    std::size_t interims_ = 0;
    bool continued_ = false;  // one of them was 100
    bool answered_ = false;
};

}  // namespace etage::origin
