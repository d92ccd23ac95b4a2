#include "codec/gzip.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

namespace etage::codec {
namespace {

constexpr int level_max = 12;
constexpr std::size_t expansion_max = 1032;  // what deflate makes of one byte at most

struct Free {
    void operator()(libdeflate_compressor* c) const noexcept { libdeflate_free_compressor(c); }
    void operator()(libdeflate_decompressor* d) const noexcept { libdeflate_free_decompressor(d); }
};

/// A compressor is some hundred kilobytes of tables, so each thread makes one per level it uses and keeps it. It holds
/// no state between calls. Null without memory.
libdeflate_compressor* compressor(int level) noexcept {
    thread_local std::array<std::unique_ptr<libdeflate_compressor, Free>, level_max + 1> kept;
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

/// Appends the content of the member that `rest` begins with, and takes the member off. False when it is none, or when
/// `out` would exceed `bytes_max`.
bool append_member(std::string& out, std::string_view& rest, std::size_t bytes_max) {
    const std::size_t begin = out.size();
    std::size_t room = std::min(bytes_max - begin, claimed_size(rest));
    while (true) {
        std::size_t taken = 0;
        std::size_t made = 0;
        auto result = LIBDEFLATE_BAD_DATA;
        out.resize_and_overwrite(begin + room, [&](char* data, std::size_t) noexcept {
            result = libdeflate_gzip_decompress_ex(decompressor(), rest.data(), rest.size(), data + begin, room, &taken,
                                                   &made);
            return begin + (result == LIBDEFLATE_SUCCESS ? made : 0);
        });
        if (result == LIBDEFLATE_SUCCESS) {
            rest.remove_prefix(taken);
            return true;
        }
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE || room == bytes_max - begin) return false;
        room = std::min(bytes_max - begin, std::max<std::size_t>(room * 2, 4096));
    }
}

constexpr std::string_view compressible_types[] = {
    "application/ecmascript", "application/graphql",      "application/javascript", "application/json",
    "application/json-seq",   "application/jsonlines",    "application/ndjson",     "application/sql",
    "application/toml",       "application/x-javascript", "application/x-ndjson",   "application/x-www-form-urlencoded",
    "application/x-yaml",     "application/xml",          "application/xml-dtd",    "application/yaml",
};
constexpr std::string_view compressible_suffixes[] = {"+json", "+xml", "+yaml"};

char lowered(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// `lower` is lower-case.
bool is(std::string_view text, std::string_view lower) noexcept { return std::ranges::equal(text, lower, {}, lowered); }

/// The type without parameters and surrounding whitespace.
std::string_view essence(std::string_view content_type) noexcept {
    content_type = content_type.substr(0, content_type.find(';'));
    const auto begin = std::min(content_type.find_first_not_of(" \t"), content_type.size());
    return content_type.substr(begin, content_type.find_last_not_of(" \t") + 1 - begin);
}

}  // namespace

std::optional<std::string> gzip(std::string_view content, int level) {
    libdeflate_compressor* const deflate = compressor(std::clamp(level, 1, level_max));
    const std::size_t bytes_max = content.size() - (content.size() + 7) / 8;
    if (deflate == nullptr || bytes_max == 0) return std::nullopt;
    std::string out;
    out.resize_and_overwrite(bytes_max, [&](char* data, std::size_t room) noexcept {
        return libdeflate_gzip_compress(deflate, content.data(), content.size(), data, room);  // 0: does not fit
    });
    if (out.empty()) return std::nullopt;
    out.shrink_to_fit();
    return out;
}

std::optional<std::string> gunzip(std::string_view compressed, std::size_t bytes_max) {
    if (compressed.empty() || decompressor() == nullptr) return std::nullopt;
    std::string out;
    while (!compressed.empty())  // RFC 1952 §2.2: a file is a series of members
        if (!append_member(out, compressed, bytes_max)) return std::nullopt;
    return out;
}

bool is_compressible(std::string_view content_type) noexcept {
    const std::string_view type = essence(content_type);
    if (is(type, "text/event-stream")) return false;  // each event is to leave at once
    if (is(type.substr(0, 5), "text/")) return true;
    const auto equals = [&](std::string_view known) { return is(type, known); };
    const auto ends = [&](std::string_view suffix) {
        return type.size() > suffix.size() && is(type.substr(type.size() - suffix.size()), suffix);
    };
    return std::ranges::any_of(compressible_types, equals) || std::ranges::any_of(compressible_suffixes, ends);
}

}  // namespace etage::codec
