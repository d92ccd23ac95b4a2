#pragma once
// What leaves the walk, and the port through which a connection asks for it.

#include "flow/interim.hpp"
#include "flow/notes.hpp"
#include "http/h1_writer.hpp"
#include "http/message.hpp"
#include "net/body_source.hpp"
#include "net/tunnel.hpp"
#include "store/entry.hpp"

#include <etage/time.hpp>
#include <etage/verdict.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace etage::flow {

/// One answer, ready for any HTTP version's writer. `head` and `body` borrow from what the answer itself keeps alive
/// (`entry`, `owned_head`, `owned_body`), or from static storage.
struct Answer {
    int status = 200;
    std::string_view status_line;             // with its CRLF, when it is not in `head`; static storage
    std::string_view head;                    // status line and fields, no empty line; Content-Length when it is known
    http::FieldTail tail;                     // the fields of this answer alone: Age, Cache-Status, RateLimit, …
    std::string_view body;                    // complete content; empty with `stream`
    std::shared_ptr<net::BodySource> stream;  // content that is still arriving
    std::optional<std::uint64_t> stream_length;  // nothing: chunked (HTTP/1.1) or until close (1.0)
    bool head_only = false;                      // HEAD, 304, 204: no content follows whatever the fields say
    bool close = false;                          // close the connection afterwards
    std::shared_ptr<net::Tunnel> tunnel;         // with 101: what the connection becomes after the head
    Verdict verdict;

    base::Ref<const store::Entry> entry;
    std::string owned_head;
    base::Ref<const base::Bytes> owned_body;
};

/// The client, while it waits for an answer.
class Presence {
public:
    /// True: it has gone, or at least sends no more, and is taken to read no more. False, too, when that cannot be
    /// told. On the executor of the request.
    virtual bool has_left() noexcept = 0;

protected:
    ~Presence() = default;
};

/// One request on its way, as the connection presents it. Borrows from the connection's buffers until it is answered.
struct Visit {
    const http::RequestHead& request;
    std::string_view client_address;  // numeric, without port; of the real peer
    std::string_view scheme;          // of the listener: "http"
    Now now;
    std::string& key;                        // scratch of the worker; its capacity is reused
    Notes notes{};                           // what the walk found out so far
    std::shared_ptr<InterimSink> interim{};  // where 1xx responses may go; null = nowhere
    Presence* presence = nullptr;            // null: it stays
};

/// What a connection loop needs of the house. Implemented by the walk and by the admin pages. Thread-safe.
class Service {
public:
    virtual ~Service() = default;

    /// Steps 1–4 and 8 in one plain call: no allocation, no clock, no lock held across work, no suspension. True: `out`
    /// is complete. False: nothing was answered; await answer().
    virtual bool answer_now(Visit& visit, Answer& out) noexcept = 0;

    /// Goes on from where answer_now() stopped with the same visit: steps 5–8. `body` is the request's content (null =
    /// none); what is left unread when the answer arrives, the connection drains or closes. Never throws and never
    /// fails: failures are answers.
    virtual asio::awaitable<void> answer(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out) = 0;

    /// For requests that were not HTTP: the answer to send before closing.
    virtual void refuse(Fault fault, std::string_view why, Answer& out) noexcept = 0;
};

}  // namespace etage::flow
