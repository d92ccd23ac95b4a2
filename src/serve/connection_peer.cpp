// Whom a connection speaks for.

#include "net/proxy_header.hpp"
#include "serve/connection.hpp"
#include "serve/worker.hpp"

namespace etage::serve {

/// What a trusted proxy says of its client before anything else. The time for it is that of the first head, which goes
/// on. Nothing: to the requests.
std::optional<Connection::Next> Connection::meet() {
    const auto header = net::read_proxy_header(unread());
    if (header.state == net::ProxyHeader::State::incomplete) return Next::read;
    awaits_header_ = false;
    if (header.state == net::ProxyHeader::State::absent) {
        if (worker_.limits().proxy_protocol != ProxyProtocol::require) return std::nullopt;
        worker_.note_proxy(peer_.text(), "there is none");
        return Next::close;
    }
    if (header.state == net::ProxyHeader::State::malformed) {
        worker_.note_proxy(peer_.text(), header.why);
        return Next::close;
    }
    begin_ += header.bytes;
    peer_.learn(header);
    if (header.source == net::ProxyHeader::Source::told && !peer_.is_trusted()) {
        auto seat = worker_.turnstile().enter(peer_.address(), worker_.limits().connections_per_client_max);
        if (!seat) {
            worker_.note_crowd(peer_.text());
            return Next::close;
        }
        seat_ = *std::move(seat);
    }
    if (begin_ == end_) return Next::read;
    return std::nullopt;
}

std::string_view Connection::client_of(const http::RequestHead& request) const {
    if (!peer_.is_trusted()) return peer_.text();
    return client_behind(worker_.limits().trusted_proxies, request.fields, peer_.text(), worker_.limits().client_field);
}

}  // namespace etage::serve
