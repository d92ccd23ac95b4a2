#pragma once
// Descriptors of files are the one resource that clients share with everything else: a process whose clients hold them
// all reaches neither origins nor Redis. So clients get no more than leaves enough for the others.

#include <cstddef>

namespace etage::gateway {

/// A row of docs/limits.md: kept from clients, beside one for each connection that origins may have; but at most half
/// of what the process has.
inline constexpr std::size_t descriptors_kept = 64;

/// How many clients may be connected, when `wanted` are. Each needs one descriptor.
std::size_t clients_within(std::size_t wanted, std::size_t descriptors, std::size_t origin_connections) noexcept;

/// What the system gives this process (RLIMIT_NOFILE, soft).
std::size_t descriptors_of_process() noexcept;

/// Asks the system for all it may give: soft limit = hard limit. For a program that is alone in its process.
void raise_descriptors() noexcept;

}  // namespace etage::gateway
