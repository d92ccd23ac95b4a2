#include "codec/brotli.hpp"

#include <brotli/decode.h>
#include <brotli/encode.h>

namespace etage::codec {
namespace {

constexpr int quality_fast = 5;      // below, gzip is as small
constexpr int quality_strong = 9;    // a tenth of a second for each MB
constexpr int quality_densest = 11;  // ten times that
constexpr std::size_t densest_bytes_max = 128 * 1024;
constexpr std::uint32_t stream_window_bits = 16;  // over it, the tables of the strong encoder are tens of megabytes

int quality(std::size_t content_bytes, Effort effort) noexcept {
    if (effort == Effort::fast) return quality_fast;
    return content_bytes <= densest_bytes_max ? quality_densest : quality_strong;
}

const std::uint8_t* octets(std::string_view bytes) noexcept {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

struct Free {
    void operator()(BrotliEncoderState* s) const noexcept { BrotliEncoderDestroyInstance(s); }
    void operator()(BrotliDecoderState* s) const noexcept { BrotliDecoderDestroyInstance(s); }
};
using EncoderState = std::unique_ptr<BrotliEncoderState, Free>;
using DecoderState = std::unique_ptr<BrotliDecoderState, Free>;

class BrotliEncoder final : public Encoder {
public:
    explicit BrotliEncoder(EncoderState state) noexcept : state_(std::move(state)) {}

    bool run(std::string& out, std::string_view piece, Until until) override {
        constexpr BrotliEncoderOperation operations[] = {BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH,
                                                         BROTLI_OPERATION_FINISH};
        const std::uint8_t* next = octets(piece);
        std::size_t left = piece.size();
        do {
            std::size_t no_room = 0;
            if (!BrotliEncoderCompressStream(state_.get(), operations[static_cast<std::size_t>(until)], &left, &next,
                                             &no_room, nullptr, nullptr))
                return false;
            std::size_t made = 0;  // asks for all there is
            const std::uint8_t* const data = BrotliEncoderTakeOutput(state_.get(), &made);
            out.append(reinterpret_cast<const char*>(data), made);
        } while (left > 0 || BrotliEncoderHasMoreOutput(state_.get()));
        return true;
    }

private:
    EncoderState state_;
};

class BrotliDecoder final : public Decoder {
public:
    explicit BrotliDecoder(DecoderState state) noexcept : state_(std::move(state)) {}

    Step step(std::string_view bytes, char* out, std::size_t room) noexcept override {
        if (whole()) {
            if (bytes.empty()) return {};
            return {.fault = DecodeFault::corrupt};  // RFC 7932 knows one stream; what is behind it is none of ours
        }
        const std::uint8_t* next = octets(bytes);
        auto* place = reinterpret_cast<std::uint8_t*>(out);
        std::size_t left = bytes.size();
        std::size_t room_left = room;
        const auto result = BrotliDecoderDecompressStream(state_.get(), &left, &next, &room_left, &place, nullptr);
        Step done{bytes.size() - left, room - room_left, std::nullopt};
        if (result == BROTLI_DECODER_RESULT_ERROR) done.fault = fault_of(BrotliDecoderGetErrorCode(state_.get()));
        return done;
    }

    bool whole() const noexcept override { return BrotliDecoderIsFinished(state_.get()) != BROTLI_FALSE; }

private:
    static DecodeFault fault_of(BrotliDecoderErrorCode code) noexcept {
        const bool memory =
            code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
        return memory ? DecodeFault::no_memory : DecodeFault::corrupt;
    }

    DecoderState state_;
};

}  // namespace

std::optional<std::string> brotli(std::string_view content, Effort effort) {
    return encode_within(content.size(), [&](char* data, std::size_t room) noexcept {
        std::size_t made = room;
        const bool fits = room > 0 && BrotliEncoderCompress(quality(content.size(), effort), BROTLI_DEFAULT_WINDOW,
                                                            BROTLI_DEFAULT_MODE, content.size(), octets(content), &made,
                                                            reinterpret_cast<uint8_t*>(data));
        return fits ? made : 0;
    });
}

std::unique_ptr<Encoder> make_brotli_encoder(Effort effort) {
    EncoderState state(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
    if (!state) return nullptr;
    const int chosen = effort == Effort::fast ? quality_fast : quality_strong;
    BrotliEncoderSetParameter(state.get(), BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(chosen));
    BrotliEncoderSetParameter(state.get(), BROTLI_PARAM_LGWIN, stream_window_bits);
    return std::make_unique<BrotliEncoder>(std::move(state));
}

std::unique_ptr<Decoder> make_brotli_decoder() {
    DecoderState state(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
    return state ? std::make_unique<BrotliDecoder>(std::move(state)) : nullptr;
}

}  // namespace etage::codec
