#include "coherence/stream_id.hpp"

#include <algorithm>
#include <charconv>

namespace etage::coherence {

namespace {

std::optional<std::uint64_t> number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::string StreamId::text() const { return std::to_string(ms) + '-' + std::to_string(n); }

std::optional<StreamId> parse_stream_id(std::string_view text) noexcept {
    const auto dash = text.find('-');
    const auto ms = number(text.substr(0, dash));
    const auto n = dash == std::string_view::npos ? std::optional<std::uint64_t>(0) : number(text.substr(dash + 1));
    if (!ms || !n) return std::nullopt;
    return StreamId{*ms, *n};
}

Sequence position_of(StreamId id) noexcept {
    if (id.ms > largest_ms) return largest_ms << bits_of_n | largest_n;
    return id.ms << bits_of_n | std::min(id.n, largest_n);
}

}  // namespace etage::coherence
