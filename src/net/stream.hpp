#pragma once
// Bytes both ways to one server: TCP, a unix socket, or TLS over TCP, behind one port.
//
// Concurrency · A Stream lives on one executor that runs one handler at a time; one read and one write may be under way
// together. A TlsContext is immutable: any thread.
// Lifetime · A Stream and the buffers outlive the operations that are under way; close() ends them soon
// (operation_aborted), and an io_context that is destroyed destroys them.

#include "net/resolve.hpp"

#include <etage/time.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/error_code.hpp>

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>

namespace etage::net {

class Stream {
public:
    using Done = std::move_only_function<void(const asio::error_code&, std::size_t)>;

    virtual ~Stream() = default;

    /// Calls `done`, never from inside, with at least one byte or an error (eof: the peer has ended).
    virtual void read_some(asio::mutable_buffer buffer, Done done) = 0;
    /// Calls `done`, never from inside, when all is written or with an error.
    virtual void write(asio::const_buffer bytes, Done done) = 0;
    /// Hands over what the system takes without waiting; how much (0: use write()).
    virtual std::size_t write_now(asio::const_buffer bytes, asio::error_code& ec) noexcept = 0;

    /// Ends what is under way. Nothing more is read or written.
    virtual void close() noexcept = 0;
};

struct TlsFiles {
    std::string ca;           // a PEM file; empty: the system's
    std::string certificate;  // of this client, a PEM file with its chain; empty: none
    std::string key;
};

/// Whom a client believes, and who it says it is. At least TLS 1.2; the peer's certificate is always verified.
class TlsContext {
public:
    /// The error says which file, and why.
    static std::expected<std::shared_ptr<const TlsContext>, std::string> make(const TlsFiles& files);
    virtual ~TlsContext() = default;
};

/// Why there is no connection.
struct StreamError {
    asio::error_code code;  // asio::error::timed_out at the deadline
    std::string what;       // for people: "Connection refused", "certificate: self-signed certificate"
};
using OpenedStream = std::expected<std::unique_ptr<Stream>, StreamError>;

/// On the caller's executor. With `tls` the certificate must be for `host`, a name or a numeric address. The resolver
/// outlives the call.
asio::awaitable<OpenedStream> open_tcp(Resolver& resolver, std::shared_ptr<const TlsContext> tls, std::string host,
                                       Instant deadline);
asio::awaitable<OpenedStream> open_unix(std::string path, Instant deadline);

}  // namespace etage::net
