#pragma once
// The content of a request, read from its connection when the origin asks for it.

#include "http/h1_parser.hpp"
#include "net/body_source.hpp"
#include "serve/connection.hpp"

#include <memory>

namespace etage::serve {

/// Keeps the connection alive. After abandon() every read fails, so that whoever still holds it (an upload the origin
/// has answered already) cannot take bytes of the next request.
class RequestBody : public net::BodySource {
public:
    RequestBody(std::shared_ptr<Connection> connection, const http::RequestHead& request);

    /// What can be said against it before anybody asks for it: more than is taken was announced, or what has come
    /// already is malformed. Then the origin hears nothing of the request.
    Result<void> check() const;

    asio::awaitable<Result<std::string_view>> read() override;
    /// It can be read further.
    void cancel() noexcept override;

    bool finished() const noexcept { return decoder_.finished(); }
    /// Nobody has asked for it.
    bool untouched() const noexcept { return !asked_; }
    /// Skips what has come. True: it was read to its end, or is short of it by so little that it will be: then the
    /// connection may go on. Not when the client waits for 100 (Continue) and was never told: nobody knows whether it
    /// will send its content.
    bool nearly_read() noexcept;
    void abandon() noexcept { abandoned_ = true; }

private:
    asio::awaitable<Result<void>> receive();
    bool announces_too_much() const noexcept;

    std::shared_ptr<Connection> connection_;
    http::BodyDecoder decoder_;
    std::uint64_t length_;
    std::uint64_t bytes_ = 0;
    bool expects_continue_;
    bool asked_ = false;
    bool receiving_ = false;
    net::Patience patience_;  // with the client, while its content is waited for
    bool abandoned_ = false;
};

}  // namespace etage::serve
