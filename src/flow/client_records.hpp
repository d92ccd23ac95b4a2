#pragma once
// What is known of clients. It outlives the gates: whoever pressed against a limit before a reload is known to the
// same limit after it.
//
// Concurrency · Any thread may call anything.

#include "limit/client_table.hpp"
#include "limit/seats.hpp"
#include "limit/share.hpp"
#include "limit/shared_seats.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace etage::flow {

/// A row of docs/limits.md: limits that were ever in force, those of earlier configurations included.
inline constexpr std::size_t limits_known_max = 65'535;

struct ClientRecords {
    limit::ClientTable<limit::State> alone;
    limit::ClientTable<limit::Share> shares;
    limit::SeatTable seats;
    limit::SharedSeats shared_seats;

    /// The same number for limits of one name, in whichever gate. Nothing: there are limits_known_max already.
    std::optional<std::uint16_t> id_of(const std::string& name) {
        const std::lock_guard lock(mutex_);
        const auto known = ids_.find(name);
        if (known != ids_.end()) return known->second;
        if (ids_.size() == limits_known_max) return std::nullopt;
        return ids_.emplace(name, static_cast<std::uint16_t>(ids_.size())).first->second;
    }

private:
    std::mutex mutex_;
    std::map<std::string, std::uint16_t> ids_;
};

}  // namespace etage::flow
