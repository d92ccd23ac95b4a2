#include "codec/gzip.hpp"

#include "codec/coder.hpp"

#include <libdeflate.h>

#include <array>

namespace etage::codec {
namespace {

constexpr int level_max = 12;
constexpr int level_kept_max = 9;            // above, a compressor has megabytes of tables
constexpr std::size_t expansion_max = 1032;  // what deflate makes of one byte at most
constexpr std::size_t room_min = 4096;       // for a member that makes more than the last one says

struct Free {
    void operator()(libdeflate_compressor* c) const noexcept { libdeflate_free_compressor(c); }
    void operator()(libdeflate_decompressor* d) const noexcept { libdeflate_free_decompressor(d); }
};
using Compressor = std::unique_ptr<libdeflate_compressor, Free>;

/// Holds no state between calls, so each thread makes one per level it uses and keeps it. Null without memory.
libdeflate_compressor* kept_compressor(int level) noexcept {
    thread_local std::array<Compressor, level_kept_max + 1> kept;
    auto& mine = kept[static_cast<std::size_t>(level)];
    if (!mine) mine.reset(libdeflate_alloc_compressor(level));
    return mine.get();
}

libdeflate_decompressor* decompressor() noexcept {
    thread_local std::unique_ptr<libdeflate_decompressor, Free> kept(libdeflate_alloc_decompressor());
    return kept.get();
}

/// How long the last member says the content is (RFC 1952 §2.3.1, ISIZE). A claim, so never taken for more than deflate
/// can do. Precondition: not empty.
std::size_t claimed_size(std::string_view compressed) noexcept {
    std::size_t claim = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(4, compressed.size()); ++i)
        claim = claim << 8 | static_cast<std::uint8_t>(compressed[compressed.size() - 1 - i]);
    return std::min(claim, compressed.size() * expansion_max);
}

/// Appends the content of the member that `rest` begins with, and takes the member off.
std::optional<DecodeFault> append_member(std::string& out, std::string_view& rest, std::size_t bytes_max) {
    const std::size_t begin = out.size();
    std::size_t room = std::min(bytes_max - begin, claimed_size(rest));
    while (true) {
        std::size_t taken = 0;
        std::size_t made = 0;
        auto result = LIBDEFLATE_BAD_DATA;
        widen(out, begin + room, bytes_max);
        out.resize_and_overwrite(begin + room, [&](char* data, std::size_t) noexcept {
            result = libdeflate_gzip_decompress_ex(decompressor(), rest.data(), rest.size(), data + begin, room, &taken,
                                                   &made);
            return begin + (result == LIBDEFLATE_SUCCESS ? made : 0);
        });
        if (result == LIBDEFLATE_SUCCESS) {
            rest.remove_prefix(taken);
            return std::nullopt;
        }
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE) return DecodeFault::corrupt;
        if (room == bytes_max - begin) return DecodeFault::too_large;
        room = std::min(bytes_max - begin, std::max(room * 2, room_min));
    }
}

}  // namespace

std::optional<std::string> gzip(std::string_view content, int level) {
    level = std::clamp(level, 1, level_max);
    Compressor passing(level > level_kept_max ? libdeflate_alloc_compressor(level) : nullptr);
    libdeflate_compressor* const deflate = level > level_kept_max ? passing.get() : kept_compressor(level);
    if (deflate == nullptr) return std::nullopt;
    return encode_within(content.size(), [&](char* data, std::size_t room) noexcept -> std::size_t {
        return libdeflate_gzip_compress(deflate, content.data(), content.size(), data, room);  // 0: does not fit
    });
}

Decoded gunzip(std::string_view compressed, std::size_t bytes_max) {
    if (decompressor() == nullptr) return std::unexpected(DecodeFault::no_memory);
    if (compressed.empty()) return std::unexpected(DecodeFault::corrupt);
    std::string out;
    while (!compressed.empty())  // RFC 1952 §2.2: a file is a series of members
        if (const auto fault = append_member(out, compressed, bytes_max)) return std::unexpected(*fault);
    return out;
}

}  // namespace etage::codec
