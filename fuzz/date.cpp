// Any text is a date or is not, in whatever case; a date is written as one text, which is read as the same date. Its
// first eight bytes are a time as well: the three forms of it are one date.

#include "http/date.hpp"

#include "fuzz.hpp"

#include <cstring>
#include <string>

using namespace etage;

namespace {

constexpr WallTime now{std::chrono::seconds(1781524800)};
constexpr std::int64_t first_second = -62'135'596'800;  // of year 1
constexpr std::int64_t last_second = 253'402'300'799;   // of year 9999

std::string upper(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" in the two old forms.
void check_old_forms(const std::string& imf, WallTime when) {
    constexpr const char* days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    const std::chrono::weekday weekday{std::chrono::floor<std::chrono::days>(when)};
    const std::string day = imf.substr(5, 2);
    const std::string month = imf.substr(8, 3);
    const std::string time = imf.substr(17, 8);
    const std::string padded = day[0] == '0' ? " " + day.substr(1) : day;
    const std::string asctime = imf.substr(0, 3) + ' ' + month + ' ' + padded + ' ' + time + ' ' + imf.substr(12, 4);
    fuzz::require(http::parse_date(asctime, now) == when);
    const std::string rfc850 = std::string(days[weekday.c_encoding()]) + ", " + day + '-' + month + '-' +
                               imf.substr(14, 2) + ' ' + time + " GMT";
    const auto read = http::parse_date(rfc850, now);
    fuzz::require(read.has_value() || (day == "29" && month == "Feb"));  // another century may have no such day
    const std::int64_t years = std::stoi(imf.substr(12, 4)) - 2026;
    if (-49 < years && years < 49) fuzz::require(read == when);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(fuzz::text_of(data, size));
    const auto date = http::parse_date(text, now);
    fuzz::require(http::parse_date(upper(text), now) == date);
    std::array<char, 29> out;
    if (date) fuzz::require(http::parse_date(http::format_date(out, *date), now) == date);

    if (size < sizeof(std::uint64_t)) return 0;
    std::uint64_t bits = 0;
    std::memcpy(&bits, data, sizeof bits);
    const auto span = static_cast<std::uint64_t>(last_second - first_second + 1);
    const WallTime when{std::chrono::seconds(first_second + static_cast<std::int64_t>(bits % span))};
    const std::string imf(http::format_date(out, when));
    fuzz::require(http::parse_date(imf, now) == when);
    check_old_forms(imf, when);
    return 0;
}
