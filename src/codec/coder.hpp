#pragma once
// What the formats have in common, inside codec: one step of a library behind one interface, without caps.

#include "codec/coding.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace etage::codec {

/// Decodes one stream. One owner thread at a time.
class Decoder {
public:
    struct Step {
        std::size_t consumed = 0;
        std::size_t made = 0;
        std::optional<DecodeFault> fault;  // the decoder is not to be used again
    };

    Decoder() = default;
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    virtual ~Decoder() = default;

    /// Takes from `bytes` and writes to `out` as much as one call of the library does. It is at the end of the input,
    /// or out of room, when it neither consumed nor made anything. Precondition: `room` > 0.
    virtual Step step(std::string_view bytes, char* out, std::size_t room) noexcept = 0;

    /// What was consumed is a whole body, and all of its content was made.
    virtual bool whole() const noexcept = 0;
};

/// Encodes one stream. One owner thread at a time.
class Encoder {
public:
    enum class Until : std::uint8_t { more, flush, end };

    Encoder() = default;
    Encoder(const Encoder&) = delete;
    Encoder& operator=(const Encoder&) = delete;
    virtual ~Encoder() = default;

    /// Appends what there is to send once `piece` is taken. False without memory.
    virtual bool run(std::string& out, std::string_view piece, Until until) = 0;
};

/// How long the encoded form may be to be worth it.
constexpr std::size_t encoded_bytes_max(std::size_t content_bytes) noexcept {
    return content_bytes - (content_bytes + 7) / 8;
}

/// What `write(data, room)` makes of a content of this size; it returns how many bytes that is, 0 when they do not fit.
template <class Write>
std::optional<std::string> encode_within(std::size_t content_bytes, Write write) {
    const std::size_t room = encoded_bytes_max(content_bytes);
    std::string out;
    // The size that GCC 12 hands over is the capacity when that had to grow; what may be written is not.
    out.resize_and_overwrite(room, [&](char* data, std::size_t) noexcept { return write(data, room); });
    if (out.empty()) return std::nullopt;
    out.shrink_to_fit();  // it may be kept for long
    return out;
}

/// The most that `encoded_bytes` may decode to; never so much that one more could not be counted.
constexpr std::size_t decoded_bytes_max(DecodeLimits limits, std::size_t encoded_bytes) noexcept {
    constexpr std::size_t countable = std::numeric_limits<std::ptrdiff_t>::max();
    const std::size_t ratio = std::max<std::size_t>(limits.ratio_max, 1);
    const std::size_t by_ratio = std::min(encoded_bytes, countable / ratio) * ratio;
    return std::min({limits.bytes_max, std::max(ratio_free_bytes, by_ratio), countable});
}

/// Capacity for `bytes`; twice what there is, so that growing stays cheap, but not for more than `bytes_max`, which a
/// string by itself knows nothing of. Precondition: `bytes` <= `bytes_max`.
inline void widen(std::string& out, std::size_t bytes, std::size_t bytes_max) {
    if (bytes <= out.capacity()) return;
    std::string wider;
    wider.reserve(std::max(bytes, std::min(out.capacity() * 2, bytes_max)));
    wider.append(out);
    out = std::move(wider);
}

}  // namespace etage::codec
