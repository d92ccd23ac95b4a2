#pragma once
// Reading the head of an upstream's answer: interim responses skipped, bounded in size and time.

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
    /// Both outlive the reader. `method` is the request's.
    ResponseHeadReader(UpstreamConnection& connection, const UpstreamOptions& options, http::Method method) noexcept;

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

    /// Borrows from the connection's buffer and slots.
    const http::ResponseHead& head() const noexcept { return head_; }
    std::string_view why() const noexcept { return why_; }
    /// A byte of an answer, interim or final, has arrived.
    bool began() const noexcept { return interims_ > 0 || !connection_.buffered().empty(); }

private:
    http::ParseState parse() noexcept;
    http::ParseState malformed(std::string_view why) noexcept;

    UpstreamConnection& connection_;
    const UpstreamOptions& options_;
    const http::Method method_;
    http::HeadParser parser_;
    http::ResponseHead head_;
    std::string_view why_;
    std::size_t interims_ = 0;
};

}  // namespace etage::origin
