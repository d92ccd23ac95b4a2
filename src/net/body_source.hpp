#pragma once
// Content that arrives piece by piece: an upstream's body, a client's upload, a flight that is still landing.

#include <etage/error.hpp>

#include <asio/awaitable.hpp>

#include <string_view>

namespace etage::net {

/// Single reader. Destroying it before the end abandons the rest (an upstream connection is then closed, not reused).
class BodySource {
public:
    virtual ~BodySource() = default;

    /// The next piece; empty = the message ended as its framing says. Borrowed until the next call or destruction. An
    /// error means the message is incomplete: never store it, never finish it downstream.
    virtual asio::awaitable<Result<std::string_view>> read() = 0;

    /// Ends a read() that waits now: it fails. On the reader's executor. Without an effect on sources that never wait
    /// for anybody; whether the source can be read further is its own matter.
    virtual void cancel() noexcept {}
};

}  // namespace etage::net
