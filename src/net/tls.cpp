#include "net/tls.hpp"

#include "net/deadline.hpp"

#include <asio/ssl.hpp>
#include <asio/write.hpp>

#include <utility>

namespace etage::net {

namespace {

using asio::ip::tcp;

/// The only TlsContext there is: the port keeps OpenSSL out of the headers that others include.
class Context final : public TlsContext {
public:
    Context() : ssl_(asio::ssl::context::tls_client) {
        ssl_.set_verify_mode(asio::ssl::verify_peer);
        SSL_CTX_set_min_proto_version(ssl_.native_handle(), TLS1_2_VERSION);
        // Redis closes connections without a word; what was read before is whole or it is not, as RESP says.
        SSL_CTX_set_options(ssl_.native_handle(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    }

    asio::ssl::context& ssl() const noexcept { return ssl_; }

private:
    // asio::ssl::stream takes it by reference to what is not const, to count a reference: thread-safe in OpenSSL.
    mutable asio::ssl::context ssl_;
};

class TlsStream final : public Stream {
public:
    TlsStream(tcp::socket socket, std::shared_ptr<const Context> context)
        : context_(std::move(context)), stream_(std::move(socket), context_->ssl()) {}

    asio::ssl::stream<tcp::socket>& stream() noexcept { return stream_; }

    void read_some(asio::mutable_buffer buffer, Done done) override {
        stream_.async_read_some(buffer, std::move(done));
    }
    void write(asio::const_buffer bytes, Done done) override { asio::async_write(stream_, bytes, std::move(done)); }
    std::size_t write_now(asio::const_buffer, asio::error_code&) noexcept override { return 0; }
    void close() noexcept override {
        asio::error_code ignored;
        stream_.next_layer().close(ignored);
    }

private:
    std::shared_ptr<const Context> context_;
    asio::ssl::stream<tcp::socket> stream_;
};

/// What OpenSSL says last is mostly "certificate verify failed"; the reason is elsewhere.
std::string reason(asio::ssl::stream<tcp::socket>& stream, const asio::error_code& ec) {
    const long verdict = SSL_get_verify_result(stream.native_handle());
    if (verdict != X509_V_OK) return "certificate: " + std::string(X509_verify_cert_error_string(verdict));
    return "TLS: " + ec.message();
}

/// RFC 6066 §3: a name, never an address. The certificate is checked for either (RFC 9110 §4.3.4).
bool expect_host(asio::ssl::stream<tcp::socket>& stream, const std::string& host) {
    SSL* const ssl = stream.native_handle();
    X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl);
    asio::error_code is_name;
    asio::ip::make_address(host, is_name);
    if (!is_name) return X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1;
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) == 1 &&
           SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

std::unexpected<std::string> cannot_use(const char* what, const std::string& file, const asio::error_code& ec) {
    return std::unexpected(std::string(what) + " " + file + ": " + ec.message());
}

}  // namespace

std::expected<std::shared_ptr<const TlsContext>, std::string> TlsContext::make(const TlsFiles& files) {
    const auto context = std::make_shared<Context>();
    asio::ssl::context& ssl = context->ssl();
    asio::error_code ec;
    if (files.ca.empty())
        ssl.set_default_verify_paths(ec);
    else
        ssl.load_verify_file(files.ca, ec);
    if (ec) return cannot_use("the CA certificates", files.ca.empty() ? "of the system" : files.ca, ec);
    if (files.certificate.empty() != files.key.empty())
        return std::unexpected("a certificate of this client needs its key, and a key its certificate");
    if (files.certificate.empty()) return context;
    ssl.use_certificate_chain_file(files.certificate, ec);
    if (ec) return cannot_use("the certificate", files.certificate, ec);
    ssl.use_private_key_file(files.key, asio::ssl::context::pem, ec);
    if (ec) return cannot_use("the key", files.key, ec);
    return context;
}

asio::awaitable<OpenedStream> open_tls(tcp::socket socket, std::shared_ptr<const TlsContext> context, std::string host,
                                       Instant deadline) {
    const auto executor = socket.get_executor();
    auto opened =
        std::make_unique<TlsStream>(std::move(socket), std::static_pointer_cast<const Context>(std::move(context)));
    if (!expect_host(opened->stream(), host))
        co_return std::unexpected(StreamError{asio::error::invalid_argument, "TLS: no name to verify: " + host});
    Watchdog watchdog(executor, [&opened] { opened->close(); });
    watchdog.arm(deadline);
    const auto [ec] = co_await opened->stream().async_handshake(asio::ssl::stream_base::client, quietly);
    if (watchdog.expired()) {
        const asio::error_code late = asio::error::timed_out;
        co_return std::unexpected(StreamError{late, "TLS: " + late.message()});
    }
    if (ec) co_return std::unexpected(StreamError{ec, reason(opened->stream(), ec)});
    co_return std::move(opened);
}

}  // namespace etage::net
