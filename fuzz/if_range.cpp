// Lines: If-Range, ETag, Last-Modified, Date. A Range is looked at for the very same strong tag, or for the very same
// date when it is a strong validator; never for a weak tag, and the rest of the validators has no say.

#include "http/etag.hpp"
#include "http/range.hpp"

#include "fuzz.hpp"

#include "http/date.hpp"

#include <string>

using namespace etage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr WallTime now{std::chrono::seconds(1'790'000'000)};
    std::string_view rest = fuzz::text_of(data, size);
    const std::string_view value = fuzz::take_line(rest);
    const std::string_view etag = fuzz::take_line(rest);
    const std::string_view modified = fuzz::take_line(rest);
    const std::string_view date = fuzz::take_line(rest);
    const bool matches = http::if_range_matches(value, etag, modified, date, now);

    if (const auto tag = http::parse_entity_tag(value)) {
        fuzz::require(!matches || (!tag->weak && value == etag));
        fuzz::require(matches == http::if_range_matches(value, etag, "", "", now));
        fuzz::require(matches || tag->weak || value != etag);
        fuzz::require(!http::if_range_matches("W/" + std::string(value), etag, modified, date, now));
        return 0;
    }
    fuzz::require(matches == http::if_range_matches(value, "", modified, date, now));
    if (!matches) return 0;
    const auto since = http::parse_date(value, now);
    const auto sent = http::parse_date(date, now);
    fuzz::require(since && sent && since == http::parse_date(modified, now) && *since < *sent);
    return 0;
}
