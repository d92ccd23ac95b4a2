// Lines: the complete length, Range, Content-Range. What a Range comes to lies in the representation, in pieces that do
// not touch, and is no more than it; what is written is read as the same; several ranges are as long as they say.

#include "http/range.hpp"
#include "http/byteranges.hpp"

#include "fuzz.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

using namespace etage;
using http::ByteRange;

namespace {

constexpr std::uint64_t written_bytes_max = 4096;  // of a representation that is written out

void check_pieces(std::span<const ByteRange> ranges, std::uint64_t complete) {
    std::vector<ByteRange> sorted(ranges.begin(), ranges.end());
    std::ranges::sort(sorted, {}, &ByteRange::first);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        fuzz::require(sorted[i].first <= sorted[i].last && sorted[i].last < complete);
        fuzz::require(i == 0 || sorted[i - 1].last + 1 < sorted[i].first);
        sum += sorted[i].size();
    }
    fuzz::require(!sorted.empty() && sum <= complete);
}

void check_multipart(std::span<const ByteRange> ranges, std::uint64_t complete) {
    const http::Byteranges text(complete, "text/plain", complete);
    std::string body;
    for (const ByteRange& range : ranges) {
        text.append_head(body, range, body.empty());
        body.append(range.size(), 'x');
    }
    text.append_end(body);
    fuzz::require(text.content_length(ranges) == body.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::text_of(data, size);
    const std::string_view length = fuzz::take_line(rest);
    std::uint64_t complete = 0;
    std::from_chars(length.data(), length.data() + length.size(), complete);

    const http::RangeSet asked = http::parse_range(fuzz::take_line(rest));
    http::RangeText out;
    for (const http::RangeSpec& spec : asked.specs()) {
        const auto again = http::parse_range(http::write_range(out, spec));
        fuzz::require(again.specs().size() == 1 && again.specs().front() == spec);
    }
    const auto resolved = http::resolve(asked, complete);
    if (resolved.answer() == http::ResolvedRanges::Answer::partial) {
        check_pieces(resolved.ranges(), complete);
        if (complete <= written_bytes_max) check_multipart(resolved.ranges(), complete);
    }

    const http::ContentRange said = http::parse_content_range(fuzz::take_line(rest));
    if (said.kind == http::ContentRange::Kind::range) {
        fuzz::require(said.range.first <= said.range.last && said.range.last < said.complete.value_or(~0ULL));
        fuzz::require(http::parse_content_range(http::write_content_range(out, said.range, said.complete)) == said);
    }
    return 0;
}
