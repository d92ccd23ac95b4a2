#include "codec/gzip_stream.hpp"

#include <zlib.h>

namespace etage::codec {
namespace {

constexpr int window_bits = 15;
constexpr int gzip_wrapper = 16;  // added to the window bits: neither zlib's own wrapper nor none
constexpr int memory_level = 8;
constexpr std::size_t call_bytes_max = std::size_t{1} << 30;  // zlib counts in unsigned int
constexpr std::size_t room = 16 * 1024;

uInt counted(std::size_t bytes) noexcept { return static_cast<uInt>(std::min(bytes, call_bytes_max)); }

/// zlib does not write to its input, but says so only when asked to.
Bytef* input(std::string_view bytes) noexcept { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); }

class GzipEncoder final : public Encoder {
public:
    explicit GzipEncoder(int level) noexcept
        : usable_(deflateInit2(&zlib_, level, Z_DEFLATED, window_bits + gzip_wrapper, memory_level,
                               Z_DEFAULT_STRATEGY) == Z_OK) {}
    ~GzipEncoder() override { deflateEnd(&zlib_); }  // of what was not initialised too

    bool usable() const noexcept { return usable_; }

    bool run(std::string& out, std::string_view piece, Until until) override {
        for (; piece.size() > call_bytes_max; piece.remove_prefix(call_bytes_max))
            if (!deflate_all(out, piece.substr(0, call_bytes_max), Z_NO_FLUSH)) return false;
        constexpr int flush[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
        return deflate_all(out, piece, flush[static_cast<std::size_t>(until)]);
    }

private:
    bool deflate_all(std::string& out, std::string_view piece, int flush) {
        zlib_.next_in = input(piece);
        zlib_.avail_in = counted(piece.size());
        int result = Z_OK;
        do {
            const std::size_t begin = out.size();
            out.resize_and_overwrite(begin + room, [&](char* data, std::size_t) noexcept {
                zlib_.next_out = reinterpret_cast<Bytef*>(data + begin);
                zlib_.avail_out = counted(room);
                result = deflate(&zlib_, flush);
                return begin + room - zlib_.avail_out;
            });
        } while (zlib_.avail_out == 0);
        return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;  // the last: there was nothing to do
    }

    z_stream zlib_{};
    bool usable_;
};

class GzipDecoder final : public Decoder {
public:
    GzipDecoder() noexcept : usable_(inflateInit2(&zlib_, window_bits + gzip_wrapper) == Z_OK) {}
    ~GzipDecoder() override { inflateEnd(&zlib_); }

    bool usable() const noexcept { return usable_; }

    Step step(std::string_view bytes, char* out, std::size_t out_room) noexcept override {
        if (whole_ && !bytes.empty()) {  // RFC 1952 §2.2: a file is a series of members
            inflateReset(&zlib_);
            whole_ = false;
        }
        zlib_.next_in = input(bytes);
        zlib_.avail_in = counted(bytes.size());
        zlib_.next_out = reinterpret_cast<Bytef*>(out);
        zlib_.avail_out = counted(out_room);
        const int result = whole_ ? Z_STREAM_END : inflate(&zlib_, Z_NO_FLUSH);
        whole_ = result == Z_STREAM_END;
        return {counted(bytes.size()) - zlib_.avail_in, counted(out_room) - zlib_.avail_out, fault_of(result)};
    }

    bool whole() const noexcept override { return whole_; }

private:
    static std::optional<DecodeFault> fault_of(int result) noexcept {
        if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) return std::nullopt;
        return result == Z_MEM_ERROR ? DecodeFault::no_memory : DecodeFault::corrupt;
    }

    z_stream zlib_{};
    bool usable_;
    bool whole_ = false;
};

}  // namespace

std::unique_ptr<Encoder> make_gzip_encoder(Effort effort) {
    auto encoder = std::make_unique<GzipEncoder>(effort == Effort::fast ? 6 : 9);
    return encoder->usable() ? std::move(encoder) : nullptr;
}

std::unique_ptr<Decoder> make_gzip_decoder() {
    auto decoder = std::make_unique<GzipDecoder>();
    return decoder->usable() ? std::move(decoder) : nullptr;
}

}  // namespace etage::codec
