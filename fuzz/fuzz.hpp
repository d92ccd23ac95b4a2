#pragma once
// What every fuzz target needs: its input as text, and a way to say what must hold for any input.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace etage::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept {
    return size == 0 ? std::string_view{} : std::string_view(reinterpret_cast<const char*>(data), size);
}

/// Takes the text up to the next line break off, the break too.
inline std::string_view take_line(std::string_view& rest) noexcept {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : rest.size());
    return line;
}

inline void require(bool holds) noexcept {
    if (!holds) std::abort();
}

}  // namespace etage::fuzz
