#include "redis/cluster.hpp"

#include <algorithm>
#include <charconv>

namespace etage::redis {

namespace {

std::optional<std::uint16_t> port_of(std::int64_t number) {
    if (number < 1 || number > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(number);
}

/// ["127.0.0.1", 6381, …]; without a host (nil, "", "?") it is the one that was asked.
std::optional<Address> address_of(const Reply& node, const Address& asked) {
    if (node.elements.size() < 2 || !node.elements[1].is(Reply::Kind::integer)) return std::nullopt;
    const auto port = port_of(node.elements[1].integer);
    if (!port) return std::nullopt;
    const std::string& host = node.elements[0].text;
    return Address{.host = host.empty() || host == "?" ? asked.host : host, .port = *port};
}

std::optional<std::uint16_t> index_of(std::vector<Address>& primaries, const Address& address) {
    const auto known = std::ranges::find(primaries, address);
    if (known != primaries.end()) return static_cast<std::uint16_t>(known - primaries.begin());
    if (primaries.size() == cluster_nodes_max) return std::nullopt;
    primaries.push_back(address);
    return static_cast<std::uint16_t>(primaries.size() - 1);
}

}  // namespace

std::optional<SlotMap> read_slots(const Reply& reply, const Address& asked) {
    if (!reply.is(Reply::Kind::array) || reply.elements.empty()) return std::nullopt;
    SlotMap map;
    map.owner.fill(SlotMap::nobody);
    for (const Reply& range : reply.elements) {
        if (range.elements.size() < 3) return std::nullopt;
        const std::int64_t first = range.elements[0].integer;
        const std::int64_t last = range.elements[1].integer;
        if (first < 0 || last < first || last >= slot_count) return std::nullopt;
        const auto address = address_of(range.elements[2], asked);
        if (!address) return std::nullopt;
        const auto index = index_of(map.primaries, *address);
        if (!index) return std::nullopt;
        std::fill(map.owner.begin() + first, map.owner.begin() + last + 1, *index);
    }
    return map;
}

std::optional<Redirection> redirection_of(const Reply& reply, const Address& asked) {
    const bool ask = reply.is_error("ASK");
    if (!ask && !reply.is_error("MOVED")) return std::nullopt;
    const std::string_view text = reply.text;
    const auto space = text.rfind(' ');
    const auto colon = text.rfind(':');
    if (colon == text.npos || colon < space) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), number);
    const auto port = port_of(number);
    if (ec != std::errc{} || end != text.data() + text.size() || !port) return std::nullopt;
    const std::string_view host = text.substr(space + 1, colon - space - 1);
    return Redirection{.ask = ask, .address = {.host = host.empty() ? asked.host : std::string(host), .port = *port}};
}

}  // namespace etage::redis
