#include "codec/zstd.hpp"

#include <zstd.h>
#include <zstd_errors.h>

#include <array>

namespace etage::codec {
namespace {

constexpr int level_fast = 3;
constexpr int level_strong = 15;
constexpr int level_densest = 17;
constexpr std::size_t densest_bytes_max = std::size_t{1} << 20;  // a third of a second
constexpr int level_stream_strong = 12;
constexpr int stream_window_bits = 17;  // and the tables as large, which for themselves would be up to 50 MiB
constexpr int window_bits_max = 23;     // RFC 9659 §3: 8 MiB. No level that is used here takes a larger one.
constexpr std::size_t room = 16 * 1024;

struct Free {
    void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
    void operator()(ZSTD_DCtx* d) const noexcept { ZSTD_freeDCtx(d); }
};
using Compressor = std::unique_ptr<ZSTD_CCtx, Free>;
using Decompressor = std::unique_ptr<ZSTD_DCtx, Free>;

Compressor make_compressor(int level) noexcept {
    Compressor made(ZSTD_createCCtx());
    if (!made) return made;
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_checksumFlag, 1);
    return made;
}

/// Holds no state between whole bodies, so each thread makes one and keeps it. Null without memory.
ZSTD_CCtx* kept_compressor() noexcept {
    thread_local const Compressor kept = make_compressor(level_fast);
    return kept.get();
}

class ZstdEncoder final : public Encoder {
public:
    explicit ZstdEncoder(Compressor compressor) noexcept : compressor_(std::move(compressor)) {}

    bool run(std::string& out, std::string_view piece, Until until) override {
        constexpr ZSTD_EndDirective directives[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
        ZSTD_inBuffer in{piece.data(), piece.size(), 0};
        std::size_t left = 0;  // in the library, or an error
        do {
            const std::size_t begin = out.size();
            out.resize_and_overwrite(begin + room, [&](char* data, std::size_t) noexcept {
                ZSTD_outBuffer place{data + begin, room, 0};
                left =
                    ZSTD_compressStream2(compressor_.get(), &place, &in, directives[static_cast<std::size_t>(until)]);
                return begin + place.pos;
            });
            if (ZSTD_isError(left)) return false;
        } while (in.pos < in.size || (until != Until::more && left > 0));
        return true;
    }

private:
    Compressor compressor_;
};

std::uint32_t little_endian(std::string_view bytes) noexcept {
    std::uint32_t out = 0;
    for (std::size_t i = 4; i-- > 0;) out = out << 8 | static_cast<std::uint8_t>(bytes[i]);
    return out;
}

constexpr std::size_t frame_head_bytes_max = 18;

/// How long the head of the frame that begins so is, as far as one can tell: never less than what has to be read to
/// tell more. 0: it is no frame. (RFC 8878 §3.1.1.1, §3.1.2)
std::size_t frame_head_bytes(std::string_view begun) noexcept {
    if (begun.size() < 4) return 4;
    const std::uint32_t magic = little_endian(begun);
    if ((magic & 0xFFFFFFF0) == 0x184D2A50) return 8;  // skippable: its length follows
    if (magic != 0xFD2FB528) return 0;
    if (begun.size() < 5) return 5;
    const unsigned descriptor = static_cast<std::uint8_t>(begun[4]);
    const bool single_segment = (descriptor >> 5 & 1) != 0;
    constexpr std::size_t size_bytes[] = {0, 2, 4, 8};
    constexpr std::size_t dictionary_bytes[] = {0, 1, 2, 4};
    const std::size_t size = size_bytes[descriptor >> 6];
    return 5 + (single_segment ? std::max<std::size_t>(size, 1) : 1 + size) + dictionary_bytes[descriptor & 3];
}

/// The library is given the head of a frame by itself. First, because it would take frames of other formats. Second,
/// because of what comes in one piece it does not check the window.
class ZstdDecoder final : public Decoder {
public:
    explicit ZstdDecoder(Decompressor decompressor) noexcept : decompressor_(std::move(decompressor)) {}

    Step step(std::string_view bytes, char* out, std::size_t out_room) noexcept override {
        if (between_frames_) return step_head(bytes);
        return decompress(bytes, out, out_room);
    }

    bool whole() const noexcept override { return between_frames_ && any_ && head_bytes_ == 0; }

private:
    Step step_head(std::string_view bytes) noexcept {
        const std::size_t wanted = frame_head_bytes(head()) - head_bytes_;
        const std::size_t taken = std::min(wanted, bytes.size());
        std::copy_n(bytes.data(), taken, head_.data() + head_bytes_);
        head_bytes_ += taken;
        const std::size_t known = frame_head_bytes(head());
        if (known == 0) return {taken, 0, DecodeFault::corrupt};
        if (head_bytes_ < known) return {taken, 0, std::nullopt};
        between_frames_ = false;
        const Step done = decompress(head(), nullptr, 0);
        head_bytes_ = 0;
        return {taken, 0, done.fault};
    }

    Step decompress(std::string_view bytes, char* out, std::size_t out_room) noexcept {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        ZSTD_outBuffer place{out, out_room, 0};
        const std::size_t left = ZSTD_decompressStream(decompressor_.get(), &place, &in);
        if (left == 0) between_frames_ = any_ = true;
        return {in.pos, place.pos, fault_of(left)};
    }

    static std::optional<DecodeFault> fault_of(std::size_t result) noexcept {
        if (!ZSTD_isError(result)) return std::nullopt;
        switch (ZSTD_getErrorCode(result)) {
            case ZSTD_error_memory_allocation: return DecodeFault::no_memory;
            case ZSTD_error_frameParameter_windowTooLarge: return DecodeFault::too_large;
            default: return DecodeFault::corrupt;
        }
    }

    std::string_view head() const noexcept { return {head_.data(), head_bytes_}; }

    Decompressor decompressor_;
    std::array<char, frame_head_bytes_max> head_;
    std::size_t head_bytes_ = 0;  // of the frame to come
    bool between_frames_ = true;
    bool any_ = false;  // a body is one frame or more (RFC 8878 §3)
};

}  // namespace

std::optional<std::string> zstd(std::string_view content, Effort effort) {
    const bool fast = effort == Effort::fast;
    const Compressor passing =
        fast ? nullptr : make_compressor(content.size() <= densest_bytes_max ? level_densest : level_strong);
    ZSTD_CCtx* const compressor = fast ? kept_compressor() : passing.get();
    if (compressor == nullptr) return std::nullopt;
    return encode_within(content.size(), [&](char* data, std::size_t out_room) noexcept -> std::size_t {
        const std::size_t made = ZSTD_compress2(compressor, data, out_room, content.data(), content.size());
        return ZSTD_isError(made) ? 0 : made;  // most likely it does not fit
    });
}

std::optional<std::size_t> zstd_claimed_size(std::string_view encoded) noexcept {
    const unsigned long long claim = ZSTD_getFrameContentSize(encoded.data(), encoded.size());
    if (claim == ZSTD_CONTENTSIZE_UNKNOWN || claim == ZSTD_CONTENTSIZE_ERROR) return std::nullopt;
    return claim;
}

std::unique_ptr<Encoder> make_zstd_encoder(Effort effort) {
    Compressor compressor = make_compressor(effort == Effort::fast ? level_fast : level_stream_strong);
    if (!compressor) return nullptr;
    for (const auto parameter : {ZSTD_c_windowLog, ZSTD_c_hashLog, ZSTD_c_chainLog})
        ZSTD_CCtx_setParameter(compressor.get(), parameter, stream_window_bits);
    return std::make_unique<ZstdEncoder>(std::move(compressor));
}

std::unique_ptr<Decoder> make_zstd_decoder() {
    Decompressor decompressor(ZSTD_createDCtx());
    if (!decompressor) return nullptr;
    ZSTD_DCtx_setParameter(decompressor.get(), ZSTD_d_windowLogMax, window_bits_max);
    return std::make_unique<ZstdDecoder>(std::move(decompressor));
}

}  // namespace etage::codec
