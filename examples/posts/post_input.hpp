#pragma once
// The content of POST, PUT and PATCH, checked: what reaches the store is what the store may hold.

#include <etage/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace etage::demo {

inline constexpr std::size_t title_characters_max = 200;
inline constexpr std::size_t category_bytes_max = 40;

struct PostInput {
    std::optional<std::string> title{};
    std::optional<std::string> category{};
};

enum class Wanted : std::uint8_t {
    both,          // POST, PUT
    at_least_one,  // PATCH
};

/// Throws Problem: 400 when the content is no JSON object, 422 naming the member, its value and the bound. `id` may be
/// given when it is the path's: people send back what they got.
PostInput read_post(const Request& request, Wanted wanted, std::optional<std::int64_t> id = std::nullopt);

}  // namespace etage::demo
