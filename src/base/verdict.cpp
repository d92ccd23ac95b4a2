#include <etage/verdict.hpp>

#include <array>

namespace etage {

#define ETAGE_TEXT(name, text) text,

std::string_view forward_name(Forward f) noexcept {
    static constexpr std::array<std::string_view, forward_count> names = {ETAGE_FORWARDS(ETAGE_TEXT)};
    return names[static_cast<std::size_t>(f)];
}

std::string_view detail_name(Detail d) noexcept {
    static constexpr std::array<std::string_view, detail_count> names = {ETAGE_DETAILS(ETAGE_TEXT)};
    return names[static_cast<std::size_t>(d)];
}

#undef ETAGE_TEXT

}  // namespace etage
