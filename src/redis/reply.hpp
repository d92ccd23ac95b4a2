#pragma once
// What Redis answers (RESP2), as a value.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace etage::redis {

struct Reply {
    enum class Kind : std::uint8_t { nil, status, error, integer, bulk, array };

    Kind kind = Kind::nil;
    std::int64_t integer = 0;
    std::string text;             // of status, error and bulk
    std::vector<Reply> elements;  // of array

    bool is(Kind k) const noexcept { return kind == k; }
    /// An error whose first word is this: "NOSCRIPT", "READONLY", "WRONGTYPE".
    bool is_error(std::string_view code) const noexcept {
        return kind == Kind::error && text.starts_with(code) &&
               (text.size() == code.size() || text[code.size()] == ' ');
    }
};

}  // namespace etage::redis
