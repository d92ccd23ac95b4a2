#include "codec/stream.hpp"

#include "codec/brotli.hpp"
#include "codec/coder.hpp"
#include "codec/gzip_stream.hpp"
#include "codec/zstd.hpp"

namespace etage::codec {
namespace {

constexpr std::size_t room_min = 4 * 1024;
constexpr std::size_t room_max = 64 * 1024;

std::unique_ptr<Encoder> make_encoder(Format format, Effort effort) {
    switch (format) {
        case Format::gzip: return make_gzip_encoder(effort);
        case Format::brotli: return make_brotli_encoder(effort);
        case Format::zstd: return make_zstd_encoder(effort);
    }
    return nullptr;
}

std::unique_ptr<Decoder> make_decoder(Format format) {
    switch (format) {
        case Format::gzip: return make_gzip_decoder();
        case Format::brotli: return make_brotli_decoder();
        case Format::zstd: return make_zstd_decoder();
    }
    return nullptr;
}

/// What fails once is not to be used again.
bool run(std::unique_ptr<Encoder>& encoder, std::string& out, std::string_view piece, Encoder::Until until) {
    if (!encoder) return false;
    const bool done = encoder->run(out, piece, until);
    if (!done || until == Encoder::Until::end) encoder.reset();
    return done;
}

/// Steps until `bytes` are used up, `room` is full, or a fault.
Decoder::Step run(Decoder& decoder, std::string_view bytes, char* out, std::size_t room) noexcept {
    Decoder::Step all;
    do {
        const Decoder::Step one = decoder.step(bytes.substr(all.consumed), out + all.made, room - all.made);
        all.consumed += one.consumed;
        all.made += one.made;
        all.fault = one.fault;
        const bool stands = one.consumed == 0 && one.made == 0;
        if (stands && all.consumed < bytes.size()) all.fault = all.fault.value_or(DecodeFault::corrupt);
    } while (!all.fault && all.made < room && all.consumed < bytes.size());
    return all;
}

}  // namespace

StreamEncoder::StreamEncoder(std::unique_ptr<Encoder> encoder) noexcept : encoder_(std::move(encoder)) {}
StreamEncoder::StreamEncoder(StreamEncoder&&) noexcept = default;
StreamEncoder& StreamEncoder::operator=(StreamEncoder&&) noexcept = default;
StreamEncoder::~StreamEncoder() = default;

StreamEncoder StreamEncoder::make(Format format, Effort effort) { return StreamEncoder(make_encoder(format, effort)); }

bool StreamEncoder::append(std::string& out, std::string_view piece) {
    return run(encoder_, out, piece, Encoder::Until::more);
}

bool StreamEncoder::flush(std::string& out) { return run(encoder_, out, {}, Encoder::Until::flush); }

bool StreamEncoder::finish(std::string& out) { return run(encoder_, out, {}, Encoder::Until::end); }

StreamDecoder::StreamDecoder(std::unique_ptr<Decoder> decoder, DecodeLimits limits) noexcept
    : decoder_(std::move(decoder)), limits_(limits) {
    if (!decoder_) fault_ = DecodeFault::no_memory;
}
StreamDecoder::StreamDecoder(StreamDecoder&&) noexcept = default;
StreamDecoder& StreamDecoder::operator=(StreamDecoder&&) noexcept = default;
StreamDecoder::~StreamDecoder() = default;

StreamDecoder StreamDecoder::make(Format format, DecodeLimits limits) {
    return StreamDecoder(make_decoder(format), limits);
}

std::expected<void, DecodeFault> StreamDecoder::append(std::string& out, std::string_view piece) {
    const std::size_t room = std::clamp(piece.size() * 4, room_min, room_max);
    for (bool more = true; more;) {
        const auto done = step(out, piece, room);
        if (!done) return std::unexpected(done.error());
        piece.remove_prefix(done->consumed);
        more = done->more;
    }
    return {};
}

std::expected<StreamDecoder::Step, DecodeFault> StreamDecoder::step(std::string& out, std::string_view bytes,
                                                                    std::size_t room) {
    if (fault_) return std::unexpected(*fault_);
    if (bytes.empty() && !pending_) return Step{};
    const std::size_t allowed = std::max(decoded_bytes_max(limits_, consumed_ + bytes.size()), made_) - made_;
    const std::size_t offered = allowed < room ? allowed + 1 : room;  // the one too many shows that there is more
    const std::size_t begin = out.size();
    Decoder::Step done;
    out.resize_and_overwrite(begin + offered, [&](char* data, std::size_t) noexcept {
        done = run(*decoder_, bytes, data + begin, offered);
        return begin + std::min(done.made, allowed);
    });
    consumed_ += done.consumed;
    made_ += std::min(done.made, allowed);
    fault_ = done.made > allowed ? DecodeFault::too_large : done.fault;
    if (fault_) return std::unexpected(*fault_);
    pending_ = done.made == offered && !decoder_->whole();
    return Step{done.consumed, pending_ || done.consumed < bytes.size()};
}

bool StreamDecoder::finished() const noexcept { return !fault_ && !pending_ && decoder_->whole(); }

}  // namespace etage::codec
