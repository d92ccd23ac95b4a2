#pragma once
// The first words on a connection: who we are, who the server is, and whether it is one we can use.

#include "redis/connection.hpp"
#include "redis/options.hpp"
#include "redis/reply.hpp"

#include <etage/error.hpp>

#include <span>
#include <string>
#include <vector>

namespace etage::redis {

/// What a server must be.
enum class Wanted : std::uint8_t {
    primary,   // takes writes
    any_node,  // of a cluster, to ask it for the others
    sentinel,  // has no data and no databases
};

/// Sent together, answered together.
std::vector<Command> hello(const Options& options, Wanted wanted);

/// What the replies to hello() mean. The error is one line for people, begins with `name` and never holds the password;
/// it is not retryable when only people can change it.
Result<Identity> judge_hello(const Options& options, Wanted wanted, const std::string& name,
                             std::span<const Reply> replies);

/// "6.2" and newer.
bool is_new_enough(std::string_view version) noexcept;

}  // namespace etage::redis
