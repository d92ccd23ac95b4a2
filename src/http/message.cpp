#include "http/message.hpp"

#include "http/grammar.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace etage::http {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t id_count = static_cast<std::size_t>(FieldId::count_);

constexpr std::array<std::string_view, id_count> lower_names = {"",
#define ETAGE_NAME(id, text) text,
                                                                ETAGE_FIELDS(ETAGE_NAME)
#undef ETAGE_NAME
};

/// A perfect hash of the field names: length, first, middle and last character, multiplied by what the compiler found
/// to be free of collisions.
struct NameHash {
    std::uint32_t multiplier = 0;

    constexpr std::size_t operator()(std::string_view name) const noexcept {
        const auto letter = [&](std::size_t at) { return static_cast<std::uint32_t>(name[at] | 0x20) & 0xff; };
        const std::uint32_t mixed = letter(0) | letter(name.size() / 2) << 8 | letter(name.size() - 1) << 16 |
                                    static_cast<std::uint32_t>(name.size()) << 24;
        return (mixed * multiplier) >> (32 - bits);
    }

    static constexpr unsigned bits = 9;
    static constexpr std::size_t size = std::size_t{1} << bits;
};

using NameTable = std::array<FieldId, NameHash::size>;

constexpr std::optional<NameTable> table_without_collisions(NameHash hash) {
    NameTable table{};
    for (std::size_t id = 1; id < id_count; ++id) {
        FieldId& slot = table[hash(lower_names[id])];
        if (slot != FieldId::unknown) return std::nullopt;
        slot = static_cast<FieldId>(id);
    }
    return table;
}

consteval NameHash find_hash() {
    NameHash hash{0x9E3779B1};
    while (!table_without_collisions(hash)) hash.multiplier = hash.multiplier * 1664525 + 1013904223;
    return hash;
}

constexpr NameHash name_hash = find_hash();
constexpr NameTable name_table = *table_without_collisions(name_hash);
constexpr std::size_t longest_name = std::ranges::max(lower_names, {}, &std::string_view::size).size();

/// Names that are not written with one capital per word.
constexpr std::string_view spelled_otherwise(FieldId id) {
    switch (id) {
        case FieldId::cdn_cache_control: return "CDN-Cache-Control";
        case FieldId::etag: return "ETag";
        case FieldId::http2_settings: return "HTTP2-Settings";
        case FieldId::ratelimit: return "RateLimit";
        case FieldId::ratelimit_policy: return "RateLimit-Policy";
        case FieldId::te: return "TE";
        case FieldId::www_authenticate: return "WWW-Authenticate";
        case FieldId::xkey: return "xkey";
        default: return {};
    }
}

using NameBytes = std::array<char, longest_name>;

constexpr std::array<NameBytes, id_count> canonical_bytes = [] {
    std::array<NameBytes, id_count> all{};
    for (std::size_t id = 1; id < id_count; ++id) {
        const auto special = spelled_otherwise(static_cast<FieldId>(id));
        bool starts_word = true;
        for (std::size_t i = 0; i < lower_names[id].size(); ++i) {
            const char c = lower_names[id][i];
            const bool capital = starts_word && c >= 'a' && c <= 'z';
            all[id][i] = !special.empty() ? special[i] : capital ? static_cast<char>(c - 'a' + 'A') : c;
            starts_word = c == '-';
        }
    }
    return all;
}();

/// Same size on both sides; `b` is in lower case.
bool equal_lowered(const char* a, const char* b, std::size_t size) noexcept {
    using namespace grammar;
    if (size < 8) return lowered(load_below8(a, size)) == load_below8(b, size);
    const auto difference = [a, b](std::size_t at) { return lowered(load8(a + at)) ^ load8(b + at); };
    Word differences = difference(0) | difference(size - 8);
    for (std::size_t at = 8; at + 8 < size; at += 8) differences |= difference(at);
    return differences == 0;
}

bool equal_ignoring_case(const char* a, const char* b, std::size_t size) noexcept {
    using namespace grammar;
    if (size < 8) return lowered(load_below8(a, size)) == lowered(load_below8(b, size));
    for (std::size_t at = 0; at + 8 < size; at += 8)
        if (lowered(load8(a + at)) != lowered(load8(b + at))) return false;
    return lowered(load8(a + size - 8)) == lowered(load8(b + size - 8));
}

template <class Matches>
std::optional<std::string_view> first_value(FieldSpan fields, Matches matches) noexcept {
    const auto found = std::ranges::find_if(fields, matches);
    if (found == fields.end()) return std::nullopt;
    return found->value;
}

template <class Matches>
std::optional<std::string> joined_values(FieldSpan fields, Matches matches) {
    std::optional<std::string> all;
    for (const Field& field : fields) {
        if (!matches(field)) continue;
        if (all)
            *all += ", ";
        else
            all.emplace();
        *all += field.value;
    }
    return all;
}

auto has_id(FieldId id) noexcept {
    return [id](const Field& field) { return field.id == id; };
}

auto has_name(std::string_view name) noexcept {
    return [name](const Field& field) { return iequals(field.name, name); };
}

/// Names in Etage's own capitalisation need no bytes of their own.
bool is_canonical(const Field& field) noexcept {
    return field.id != FieldId::unknown && field.name == canonical_name(field.id);
}

}  // namespace

Method method_of(std::string_view token) noexcept {
    switch (token.size()) {
        case 3:
            if (token == "GET"sv) return Method::get;
            if (token == "PUT"sv) return Method::put;
            break;
        case 4:
            if (token == "HEAD"sv) return Method::head;
            if (token == "POST"sv) return Method::post;
            break;
        case 5:
            if (token == "PATCH"sv) return Method::patch;
            if (token == "QUERY"sv) return Method::query;
            if (token == "PURGE"sv) return Method::purge;
            if (token == "TRACE"sv) return Method::trace;
            break;
        case 6:
            if (token == "DELETE"sv) return Method::delete_;
            break;
        case 7:
            if (token == "OPTIONS"sv) return Method::options;
            if (token == "CONNECT"sv) return Method::connect;
            break;
        default: break;
    }
    return Method::other;
}

std::string_view method_name(Method method) noexcept {
    switch (method) {
        case Method::get: return "GET";
        case Method::head: return "HEAD";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::patch: return "PATCH";
        case Method::delete_: return "DELETE";
        case Method::options: return "OPTIONS";
        case Method::trace: return "TRACE";
        case Method::connect: return "CONNECT";
        case Method::query: return "QUERY";
        case Method::purge: return "PURGE";
        case Method::other: break;
    }
    return {};
}

bool is_safe(Method method) noexcept {
    switch (method) {
        case Method::get:
        case Method::head:
        case Method::options:
        case Method::trace:
        case Method::query: return true;
        default: return false;
    }
}

bool is_idempotent(Method method) noexcept {
    return is_safe(method) || method == Method::put || method == Method::delete_;
}

FieldId field_id(std::string_view name) noexcept {
    if (name.empty() || name.size() > longest_name) return FieldId::unknown;
    const FieldId id = name_table[name_hash(name)];
    const auto known = field_name(id);
    return name.size() == known.size() && equal_lowered(name.data(), known.data(), name.size()) ? id : FieldId::unknown;
}

std::string_view field_name(FieldId id) noexcept { return lower_names[static_cast<std::size_t>(id)]; }

std::string_view canonical_name(FieldId id) noexcept {
    return {canonical_bytes[static_cast<std::size_t>(id)].data(), field_name(id).size()};
}

bool is_digest(std::string_view name) noexcept {
    constexpr std::string_view digests[] = {"content-digest", "repr-digest", "digest", "content-md5"};
    return std::ranges::any_of(digests, [&](std::string_view digest) { return iequals(name, digest); });
}

bool is_hop_by_hop(FieldId id) noexcept {
    switch (id) {
        case FieldId::connection:
        case FieldId::http2_settings:
        case FieldId::keep_alive:
        case FieldId::proxy_authenticate:
        case FieldId::proxy_authorization:
        case FieldId::proxy_connection:
        case FieldId::te:
        case FieldId::trailer:
        case FieldId::transfer_encoding:
        case FieldId::upgrade: return true;
        default: return false;
    }
}

bool iequals(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && equal_ignoring_case(a.data(), b.data(), a.size());
}

bool iequals_as_cgi(std::string_view a, std::string_view b) noexcept {
    const auto as_cgi = [](char c) { return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    return std::ranges::equal(a, b, {}, as_cgi, as_cgi);
}

std::optional<std::string_view> find(FieldSpan fields, FieldId id) noexcept { return first_value(fields, has_id(id)); }

std::optional<std::string_view> find(FieldSpan fields, std::string_view name) noexcept {
    return first_value(fields, has_name(name));
}

bool contains(FieldSpan fields, FieldId id) noexcept { return std::ranges::any_of(fields, has_id(id)); }

std::optional<std::string> joined(FieldSpan fields, FieldId id) { return joined_values(fields, has_id(id)); }

std::optional<std::string> joined(FieldSpan fields, std::string_view name) {
    return joined_values(fields, has_name(name));
}

Fields::Fields(FieldSpan fields) {
    std::size_t bytes = 0;
    for (const Field& field : fields) bytes += field.value.size() + (is_canonical(field) ? 0 : field.name.size());
    list_.reserve(fields.size());
    if (bytes > 0) open_block(bytes);
    for (const Field& field : fields) append(field);
}

std::size_t Fields::footprint() const noexcept {
    return bytes_ + list_.capacity() * sizeof(Field) + blocks_.capacity() * sizeof(blocks_[0]);
}

void Fields::add(std::string_view name, std::string_view value) { append({name, value, field_id(name)}); }

void Fields::add(FieldId id, std::string_view value) { append({canonical_name(id), value, id}); }

void Fields::set(FieldId id, std::string_view value) {
    remove(id);
    add(id, value);
}

void Fields::set(std::string_view name, std::string_view value) {
    remove(name);
    add(name, value);
}

void Fields::remove(FieldId id) noexcept { remove_if(has_id(id)); }

void Fields::remove(std::string_view name) noexcept { remove_if(has_name(name)); }

void Fields::append(const Field& field) {
    const std::string_view name = is_canonical(field) ? canonical_name(field.id) : keep(field.name);
    list_.push_back({name, keep(field.value), field.id});
}

std::string_view Fields::keep(std::string_view bytes) {
    if (bytes.empty()) return {};
    if (bytes.size() > block_left_) open_block(std::max({bytes.size(), block_size_ * 2, block_bytes_min}));
    char* const to = blocks_.back().get() + (block_size_ - block_left_);
    std::memcpy(to, bytes.data(), bytes.size());
    block_left_ -= bytes.size();
    return {to, bytes.size()};
}

void Fields::open_block(std::size_t size) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    block_size_ = block_left_ = size;
    bytes_ += size;
}

std::string_view reason_phrase(int status) noexcept {
    switch (status) {
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 102: return "Processing";
        case 103: return "Early Hints";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 203: return "Non-Authoritative Information";
        case 204: return "No Content";
        case 205: return "Reset Content";
        case 206: return "Partial Content";
        case 207: return "Multi-Status";
        case 208: return "Already Reported";
        case 226: return "IM Used";
        case 300: return "Multiple Choices";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 305: return "Use Proxy";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 402: return "Payment Required";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 407: return "Proxy Authentication Required";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 416: return "Range Not Satisfiable";
        case 417: return "Expectation Failed";
        case 421: return "Misdirected Request";
        case 422: return "Unprocessable Content";
        case 423: return "Locked";
        case 424: return "Failed Dependency";
        case 425: return "Too Early";
        case 426: return "Upgrade Required";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 451: return "Unavailable For Legal Reasons";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        case 506: return "Variant Also Negotiates";
        case 507: return "Insufficient Storage";
        case 508: return "Loop Detected";
        case 511: return "Network Authentication Required";
        default: return {};
    }
}

}  // namespace etage::http
