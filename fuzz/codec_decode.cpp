// Any bytes as an encoded body, in the format that the first one picks: decoded within the limits, and the same whole
// and in pieces.

#include "codec/stream.hpp"

#include "fuzz.hpp"

#include <algorithm>

using namespace etage;

namespace {

constexpr std::size_t room = 1000;

codec::Decoded in_pieces(codec::Format format, std::string_view bytes, std::size_t piece, codec::DecodeLimits limits) {
    codec::StreamDecoder decoder = codec::StreamDecoder::make(format, limits);
    std::string out;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        const auto done = decoder.append(out, bytes.substr(0, piece));
        fuzz::require(out.size() <= limits.bytes_max);
        if (!done) return std::unexpected(done.error());
    }
    if (!decoder.finished()) return std::unexpected(codec::DecodeFault::corrupt);
    return out;
}

codec::Decoded in_steps(codec::Format format, std::string_view bytes, codec::DecodeLimits limits) {
    codec::StreamDecoder decoder = codec::StreamDecoder::make(format, limits);
    std::string out;
    for (bool more = !bytes.empty(); more;) {
        const std::size_t before = out.size();
        const auto step = decoder.step(out, bytes, room);
        fuzz::require(out.size() <= std::min(before + room, limits.bytes_max));
        if (!step) return std::unexpected(step.error());
        fuzz::require(step->consumed <= bytes.size());
        fuzz::require(!step->more || step->consumed > 0 || out.size() > before || bytes.empty());
        bytes.remove_prefix(step->consumed);
        more = step->more;
    }
    fuzz::require(bytes.empty());
    if (!decoder.finished()) return std::unexpected(codec::DecodeFault::corrupt);
    return out;
}

bool same(const codec::Decoded& a, const codec::Decoded& b) {
    return a.has_value() == b.has_value() && (!a || *a == *b);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view bytes = fuzz::text_of(data, size);
    if (bytes.empty()) return 0;
    const auto format = static_cast<codec::Format>(static_cast<std::uint8_t>(bytes.front()) % 3);
    bytes.remove_prefix(1);

    const codec::DecodeLimits limits{200'000, 1};
    const auto whole = codec::decode(format, bytes, limits);
    if (whole) fuzz::require(whole->size() <= limits.bytes_max);
    const auto at_once = in_pieces(format, bytes, bytes.size(), limits);
    fuzz::require(same(at_once, in_pieces(format, bytes, 1, limits)));
    fuzz::require(same(at_once, in_pieces(format, bytes, 7, limits)));
    fuzz::require(same(at_once, in_steps(format, bytes, limits)));
    // zlib looks at more of a gzip header than libdeflate does: it may refuse what the other takes, not the reverse.
    if (at_once || format != codec::Format::gzip) fuzz::require(same(at_once, whole));
    return 0;
}
