// Any content comes back, whole and as a stream, in every format, however it is cut and flushed. The first byte says
// how.

#include "codec/stream.hpp"

#include "fuzz.hpp"

#include <algorithm>

using namespace etage;

namespace {

/// `how`: the low bits are the size of the pieces, the highest whether each is flushed.
std::string stream(codec::Format format, codec::Effort effort, std::string_view content, unsigned how) {
    const std::size_t piece = (how & 0x3F) * (how & 0x3F) + 1;
    codec::StreamEncoder encoder = codec::StreamEncoder::make(format, effort);
    std::string out;
    for (; !content.empty(); content.remove_prefix(std::min(piece, content.size()))) {
        fuzz::require(encoder.append(out, content.substr(0, piece)));
        if ((how & 0x80) != 0) fuzz::require(encoder.flush(out));
    }
    fuzz::require(encoder.finish(out));
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view content = fuzz::text_of(data, size);
    if (content.empty()) return 0;
    const auto how = static_cast<std::uint8_t>(content.front());
    content.remove_prefix(1);
    const auto effort = (how & 0x40) != 0 ? codec::Effort::strong : codec::Effort::fast;
    const codec::DecodeLimits limits{content.size(), 1};

    for (const auto format : {codec::Format::gzip, codec::Format::brotli, codec::Format::zstd}) {
        if (const auto encoded = codec::encode(format, content, effort)) {
            fuzz::require(encoded->size() <= content.size() - (content.size() + 7) / 8);
            fuzz::require(codec::decode(format, *encoded, limits) == content);
        }
        const std::string encoded = stream(format, effort, content, how);
        fuzz::require(codec::decode(format, encoded, limits) == content);
        codec::StreamDecoder decoder = codec::StreamDecoder::make(format, limits);
        std::string out;
        fuzz::require(decoder.append(out, encoded).has_value() && decoder.finished() && out == content);
    }
    return 0;
}
