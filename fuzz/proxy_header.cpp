// Any bytes as the beginning of a connection behind a proxy: the same judgement in whatever pieces they come, within
// the bounds; and who is told, told again in both versions, is the same.

#include "net/proxy_header.hpp"

#include "fuzz.hpp"

#include <string>

using namespace etage;
using State = net::ProxyHeader::State;
using Source = net::ProxyHeader::Source;

namespace {

bool same(const net::ProxyHeader& a, const net::ProxyHeader& b) {
    return a.state == b.state && a.bytes == b.bytes && a.source == b.source && a.address == b.address && a.why == b.why;
}

template <class Bytes>
void append(std::string& out, const Bytes& bytes) {
    for (const unsigned char byte : bytes) out += static_cast<char>(byte);
}

void tell_again(const asio::ip::address& address) {
    const std::string text = address.to_string();
    const std::string line = (address.is_v4() ? "PROXY TCP4 " : "PROXY TCP6 ") + text + " " + text + " 1 2\r\n";
    std::string block("\r\n\r\n\0\r\nQUIT\n\x21", 13);
    block += address.is_v4() ? '\x11' : '\x21';
    block += '\0';
    block += address.is_v4() ? '\x0c' : '\x24';
    for (int n = 0; n < 2; ++n)
        address.is_v4() ? append(block, address.to_v4().to_bytes()) : append(block, address.to_v6().to_bytes());
    block += "port";
    for (const std::string& again : {line, block}) {
        const auto header = net::read_proxy_header(again);
        fuzz::require(header.state == State::whole && header.bytes == again.size());
        fuzz::require(header.source == Source::told && header.address == address);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::text_of(data, size);
    const auto whole = net::read_proxy_header(bytes);
    bool decided = false;
    for (std::size_t n = 0; n <= size; n += n < 300 ? 1 : 97) {
        const auto part = net::read_proxy_header(bytes.substr(0, n));
        if (part.state == State::incomplete) {
            fuzz::require(!decided);
            continue;
        }
        decided = true;
        fuzz::require(same(part, whole));
    }
    if (whole.state == State::incomplete) fuzz::require(!decided);
    fuzz::require((whole.state == State::malformed) == !whole.why.empty());
    if (whole.state == State::incomplete) fuzz::require(size < net::proxy_block_bytes_max);
    if (whole.state != State::whole) return 0;
    fuzz::require(whole.bytes > 0 && whole.bytes <= size);
    fuzz::require(whole.bytes <= (bytes[0] == 'P' ? net::proxy_line_bytes_max : net::proxy_block_bytes_max));
    if (whole.source == Source::told) tell_again(whole.address);
    return 0;
}
