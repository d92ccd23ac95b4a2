#include "http/date.hpp"

#include "http/message.hpp"

#include <algorithm>
#include <span>
#include <tuple>

namespace etage::http {
namespace {

namespace chrono = std::chrono;

constexpr std::string_view weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::string_view long_weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday"};
constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr WallTime earliest = chrono::sys_days(chrono::year(1) / 1 / 1);
constexpr WallTime latest = chrono::sys_days(chrono::year(9999) / 12 / 31) + chrono::seconds(86399);

/// A date as it is written; not yet known to exist.
struct Written {
    int year = 0;
    int month = 0;  // 1..12
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

/// Takes a text apart from left to right. Every step says whether it matched.
class Reader {
public:
    explicit Reader(std::string_view text) noexcept : rest_(text) {}

    bool word(std::string_view expected) noexcept {
        if (!iequals(rest_.substr(0, expected.size()), expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }

    bool weekday(std::span<const std::string_view> names) noexcept {
        return std::ranges::any_of(names, [&](std::string_view name) { return word(name); });
    }

    bool month(int& number) noexcept {
        number = 0;
        return std::ranges::any_of(months, [&](std::string_view name) { return ++number, word(name); });
    }

    bool digits(std::size_t count, int& value) noexcept {
        if (rest_.size() < count) return false;
        value = 0;
        for (const char c : rest_.substr(0, count)) {
            if (c < '0' || c > '9') return false;
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(count);
        return true;
    }

    bool time(Written& out) noexcept {
        return digits(2, out.hour) && word(":") && digits(2, out.minute) && word(":") && digits(2, out.second);
    }

    bool end() const noexcept { return rest_.empty(); }

private:
    std::string_view rest_;
};

/// Sun, 06 Nov 1994 08:49:37 GMT
bool read_imf_fixdate(Reader in, Written& out) noexcept {
    return in.weekday(weekdays) && in.word(", ") && in.digits(2, out.day) && in.word(" ") && in.month(out.month) &&
           in.word(" ") && in.digits(4, out.year) && in.word(" ") && in.time(out) && in.word(" GMT") && in.end();
}

/// Sun Nov  6 08:49:37 1994
bool read_asctime(Reader in, Written& out) noexcept {
    if (!in.weekday(weekdays) || !in.word(" ") || !in.month(out.month) || !in.word(" ")) return false;
    const bool one_digit = in.word(" ");
    return in.digits(one_digit ? 1 : 2, out.day) && in.word(" ") && in.time(out) && in.word(" ") &&
           in.digits(4, out.year) && in.end();
}

/// Sunday, 06-Nov-94 08:49:37 GMT
bool read_rfc850(Reader in, Written& out) noexcept {
    return in.weekday(long_weekdays) && in.word(", ") && in.digits(2, out.day) && in.word("-") && in.month(out.month) &&
           in.word("-") && in.digits(2, out.year) && in.word(" ") && in.time(out) && in.word(" GMT") && in.end();
}

/// The latest year with these two digits that makes the date no more than 50 years ahead (RFC 9110 §5.6.7).
int full_year(const Written& date, WallTime now) noexcept {
    now = std::clamp(now, earliest, latest);
    const auto midnight = chrono::floor<chrono::days>(now);
    const chrono::year_month_day today(midnight);
    const auto time =
        std::tuple(static_cast<int>(static_cast<unsigned>(today.month())),
                   static_cast<int>(static_cast<unsigned>(today.day())), static_cast<int>((now - midnight).count()));
    const int last = static_cast<int>(today.year()) + 50;
    const int year = last - (last % 100 - date.year + 100) % 100;
    const auto written = std::tuple(date.month, date.day, date.hour * 3600 + date.minute * 60 + date.second);
    return year == last && written > time ? year - 100 : year;
}

std::optional<WallTime> moment(const Written& date) noexcept {
    const chrono::year_month_day day(chrono::year(date.year), chrono::month(static_cast<unsigned>(date.month)),
                                     chrono::day(static_cast<unsigned>(date.day)));
    const bool leap_second = date.hour == 23 && date.minute == 59 && date.second == 60;
    if (!day.ok() || date.year < 1 || date.year > 9999) return std::nullopt;
    if (date.hour > 23 || date.minute > 59 || (date.second > 59 && !leap_second)) return std::nullopt;
    return chrono::sys_days(day) + chrono::hours(date.hour) + chrono::minutes(date.minute) +
           chrono::seconds(date.second);
}

char* put(char* at, std::string_view text) noexcept { return std::ranges::copy(text, at).out; }

/// `width` digits, zeros in front.
char* put(char* at, int number, int width) noexcept {
    for (int i = width - 1; i >= 0; --i, number /= 10) at[i] = static_cast<char>('0' + number % 10);
    return at + width;
}

}  // namespace

std::optional<WallTime> parse_date(std::string_view text, WallTime now) noexcept {
    const Reader in(text);
    Written date;
    if (read_imf_fixdate(in, date) || read_asctime(in, date)) return moment(date);
    if (!read_rfc850(in, date)) return std::nullopt;
    date.year = full_year(date, now);
    return moment(date);
}

std::string_view format_date(std::array<char, 29>& out, WallTime when) noexcept {
    when = std::clamp(when, earliest, latest);
    const auto midnight = chrono::floor<chrono::days>(when);
    const chrono::year_month_day day(midnight);
    const chrono::hh_mm_ss time(when - midnight);
    char* at = put(out.data(), weekdays[chrono::weekday(midnight).c_encoding()]);
    at = put(put(at, ", "), static_cast<int>(static_cast<unsigned>(day.day())), 2);
    at = put(put(put(at, " "), months[static_cast<unsigned>(day.month()) - 1]), " ");
    at = put(put(at, static_cast<int>(day.year()), 4), " ");
    at = put(put(at, static_cast<int>(time.hours().count()), 2), ":");
    at = put(put(at, static_cast<int>(time.minutes().count()), 2), ":");
    put(put(at, static_cast<int>(time.seconds().count()), 2), " GMT");
    return {out.data(), out.size()};
}

}  // namespace etage::http
