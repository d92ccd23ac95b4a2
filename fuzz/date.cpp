// Any text is a date or is not; a date is written as one text, which is read as the same date.

#include "http/date.hpp"

#include "fuzz.hpp"

using namespace etage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const WallTime now{std::chrono::seconds(1781524800)};
    const auto date = http::parse_date(fuzz::text_of(data, size), now);
    if (!date) return 0;
    std::array<char, 29> out;
    fuzz::require(http::parse_date(http::format_date(out, *date), now) == date);
    return 0;
}
