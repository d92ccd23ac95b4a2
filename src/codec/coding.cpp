#include "codec/coding.hpp"

#include "codec/brotli.hpp"
#include "codec/coder.hpp"
#include "codec/gzip.hpp"
#include "codec/stream.hpp"
#include "codec/zstd.hpp"

namespace etage::codec {
namespace {

constexpr int gzip_level_fast = 6;
constexpr int gzip_level_strong = 10;  // 12 saves another half of a percent, for half as much work again
constexpr std::size_t room_min = 4096;

/// The first guess; only a guess. One more than a claim, so that the end is seen without another round.
std::size_t likely_size(Format format, std::string_view encoded) noexcept {
    const auto claim = format == Format::zstd ? zstd_claimed_size(encoded) : std::nullopt;
    return claim ? *claim + 1 : std::max(encoded.size() * 4, room_min);
}

Decoded decode_by_steps(Format format, std::string_view encoded, DecodeLimits limits) {
    StreamDecoder decoder = StreamDecoder::make(format, limits);
    const std::size_t bytes_max = decoded_bytes_max(limits, encoded.size());
    std::string out;
    std::size_t room = likely_size(format, encoded);
    for (bool more = true; more; room = std::max(out.size(), room_min)) {
        room = std::min(room, bytes_max - out.size() + 1);
        widen(out, out.size() + room, bytes_max + 1);
        const auto step = decoder.step(out, encoded, room);
        if (!step) return std::unexpected(step.error());
        encoded.remove_prefix(step->consumed);
        more = step->more;
    }
    if (!decoder.finished()) return std::unexpected(DecodeFault::corrupt);
    return out;
}

}  // namespace

std::optional<std::string> encode(Format format, std::string_view content, Effort effort) {
    switch (format) {
        case Format::gzip: return gzip(content, effort == Effort::fast ? gzip_level_fast : gzip_level_strong);
        case Format::brotli: return brotli(content, effort);
        case Format::zstd: return zstd(content, effort);
    }
    return std::nullopt;
}

Decoded decode(Format format, std::string_view encoded, DecodeLimits limits) {
    Decoded out = format == Format::gzip ? gunzip(encoded, decoded_bytes_max(limits, encoded.size()))
                                         : decode_by_steps(format, encoded, limits);
    if (out && out->capacity() - out->size() > out->size() / 8) out->shrink_to_fit();
    return out;
}

}  // namespace etage::codec
