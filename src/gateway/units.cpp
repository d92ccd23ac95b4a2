#include "gateway/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace etage::gateway {
namespace {

template <class T>
struct Unit {
    std::string_view name;
    T factor;
};

constexpr std::int64_t second = 1'000'000'000;
constexpr Unit<std::int64_t> durations[] = {
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", second},
    {"m", 60 * second},
    {"min", 60 * second},
    {"h", 3600 * second},
    {"d", 86'400 * second},
    {"w", 604'800 * second},
};
constexpr std::int64_t duration_max = std::int64_t{100} * 365 * 86'400 * second;  // more is a slip of the pen

constexpr Unit<std::int64_t> windows[] = {
    {"s", second},          {"sec", second},          {"second", second},      {"m", 60 * second},
    {"min", 60 * second},   {"minute", 60 * second},  {"h", 3600 * second},    {"hour", 3600 * second},
    {"d", 86'400 * second}, {"day", 86'400 * second}, {"w", 604'800 * second}, {"week", 604'800 * second},
};

constexpr Unit<std::uint64_t> sizes[] = {
    {"", 1},
    {"B", 1},
    {"kB", 1'000},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", 1 << 10},
    {"MiB", 1 << 20},
    {"GiB", std::uint64_t{1} << 30},
    {"TiB", std::uint64_t{1} << 40},
};

template <class T, std::size_t N>
std::optional<T> factor_of(std::string_view name, const Unit<T> (&units)[N]) {
    for (const auto& unit : units)
        if (unit.name == name) return unit.factor;
    return std::nullopt;
}

/// Takes digits with at most one point off the front of `text`, then letters. Nothing unless it begins with a digit.
struct Quantity {
    double number = 0;
    std::string_view unit;
};
std::optional<Quantity> take_quantity(std::string_view& text) {
    Quantity q;
    if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), q.number, std::chars_format::fixed);
    if (parsed.ec != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
    std::size_t end = 0;
    while (end < text.size() && ((text[end] | 0x20) >= 'a' && (text[end] | 0x20) <= 'z')) ++end;
    q.unit = text.substr(0, end);
    text.remove_prefix(end);
    return q;
}

std::unexpected<std::string> no(std::string_view text, std::string_view complaint) {
    return std::unexpected("\"" + std::string(text) + "\" " + std::string(complaint));
}

}  // namespace

Read<Duration> parse_duration(std::string_view text) {
    static constexpr std::string_view form =
        "is not a duration; write a number and a unit, like \"60s\", \"50ms\", \"10m\", \"1h\" or \"1d\"";
    if (text == "0") return Duration::zero();
    std::string_view rest = text;
    long double total = 0;  // exact to the nanosecond over 100 years, which a double is not
    do {
        const auto quantity = take_quantity(rest);
        if (!quantity) return no(text, form);
        if (quantity->unit.empty())
            return no(text, "has no unit; write \"" + std::string(text) + "s\" for seconds, or ms, m, h, d");
        const auto factor = factor_of(quantity->unit, durations);
        if (!factor) return no(text, form);
        total += static_cast<long double>(quantity->number) * static_cast<long double>(*factor);
    } while (!rest.empty());
    if (!(total <= static_cast<long double>(duration_max))) return no(text, "is longer than 100 years");
    return Duration(std::llround(total));
}

Read<std::uint64_t> parse_size(std::string_view text) {
    static constexpr std::string_view form =
        "is not a size; write bytes or a number and a unit, like \"64KiB\", \"256MiB\" or \"1GiB\"";
    std::string_view rest = text;
    const auto quantity = take_quantity(rest);
    if (!quantity || !rest.empty()) return no(text, form);
    const auto factor = factor_of(quantity->unit, sizes);
    if (!factor) return no(text, form);
    const double bytes = quantity->number * static_cast<double>(*factor);
    if (!(bytes < 9.0e15)) return no(text, "is too large");  // beyond it a double does not count bytes exactly
    if (bytes != std::floor(bytes)) return no(text, "is not a whole number of bytes");
    return static_cast<std::uint64_t>(bytes);
}

Read<Rate> parse_rate(std::string_view text) {
    static constexpr std::string_view form =
        "is not a rate; write requests per time, like \"120/min\", \"5/s\", \"1000/day\" or \"100/15m\"";
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return no(text, form);
    Rate rate;
    const std::string_view count = text.substr(0, slash);
    const std::string_view per = text.substr(slash + 1);
    const auto parsed = std::from_chars(count.data(), count.data() + count.size(), rate.quota);
    if (parsed.ec != std::errc{} || parsed.ptr != count.data() + count.size()) {
        const auto bytes = parse_size(count);
        if (!bytes) return no(text, form);
        rate.quota = *bytes;
        rate.in_bytes = true;
    }
    if (const auto window = factor_of(per, windows)) {
        rate.window = Duration(*window);
    } else {
        const auto duration = parse_duration(per);
        if (!duration) return no(text, form);
        rate.window = *duration;
    }
    if (rate.quota == 0) return no(text, "lets nobody in; the number before the slash is at least 1");
    if (rate.window < std::chrono::milliseconds(1)) return no(text, "has a window shorter than 1ms");
    return rate;
}

std::string format_duration(Duration duration) {
    static constexpr std::array<Unit<std::int64_t>, 7> parts = {{{"d", 86'400 * second},
                                                                 {"h", 3600 * second},
                                                                 {"m", 60 * second},
                                                                 {"s", second},
                                                                 {"ms", 1'000'000},
                                                                 {"us", 1'000},
                                                                 {"ns", 1}}};
    std::int64_t left = duration.count();
    if (left == 0) return "0s";
    std::string out = left < 0 ? "-" : "";
    left = left < 0 ? -left : left;
    // Two minutes and less read better in seconds: "90s".
    if (left % second == 0 && left <= 120 * second) return out + std::to_string(left / second) + "s";
    for (const auto& part : parts) {
        if (left >= part.factor) out += std::to_string(left / part.factor).append(part.name);
        left %= part.factor;
    }
    return out;
}

}  // namespace etage::gateway
