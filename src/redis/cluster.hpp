#pragma once
// What the servers of a cluster say of where slots are, as values.

#include "redis/options.hpp"
#include "redis/reply.hpp"
#include "redis/slots.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace etage::redis {

/// Which primary has which slot.
struct SlotMap {
    static constexpr std::uint16_t nobody = 0xffff;
    std::vector<Address> primaries;
    std::array<std::uint16_t, slot_count> owner;  // index into primaries, or nobody
};

/// More primaries than this are no cluster of ours (Redis names 1,000 as its bound).
inline constexpr std::size_t cluster_nodes_max = 1024;

/// An answer to CLUSTER SLOTS; nothing when it is none, or covers no slot. `asked` stands for a host that the server
/// does not know itself.
std::optional<SlotMap> read_slots(const Reply& reply, const Address& asked);

/// "MOVED 3999 127.0.0.1:6381" (for good) or "ASK 3999 127.0.0.1:6381" (this once).
struct Redirection {
    bool ask = false;
    Address address;
};
/// Nothing when the reply is no redirection. `asked` as above.
std::optional<Redirection> redirection_of(const Reply& reply, const Address& asked);

}  // namespace etage::redis
