#include "redis/slots.hpp"

#include <array>

namespace etage::redis {

namespace {

constexpr std::array<std::uint16_t, 256> make_table() {
    constexpr unsigned polynomial = 0x1021;
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        unsigned crc = byte << 8;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000U) != 0 ? (crc << 1) ^ polynomial : crc << 1;
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}

constexpr auto crc_table = make_table();

std::string_view tag_of(std::string_view key) noexcept {
    const auto open = key.find('{');
    if (open == key.npos) return key;
    const auto close = key.find('}', open + 1);
    if (close == key.npos || close == open + 1) return key;
    return key.substr(open + 1, close - open - 1);
}

}  // namespace

std::uint16_t slot_of(std::string_view key) noexcept {
    unsigned crc = 0;
    for (const char c : tag_of(key))
        crc = ((crc << 8) & 0xffffU) ^ crc_table[(crc >> 8) ^ static_cast<unsigned char>(c)];
    return static_cast<std::uint16_t>(crc % slot_count);
}

}  // namespace etage::redis
