#include "policy/key.hpp"

#include "http/uri.hpp"
#include "policy/query.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace etage::policy {

namespace {

using http::FieldId;

constexpr std::string_view key_version = "v1 ";
constexpr int parts_before_query = 5;  // name of the route, method class, scheme, authority, path

constexpr std::size_t length_bytes_max = 21;  // twenty digits and a colon

/// Writes "5:", which stands before a part of five bytes: a reader knows where it ends without looking into it.
char* write_length(char* at, std::size_t length) noexcept {
    at = std::to_chars(at, at + length_bytes_max - 1, length).ptr;
    *at = ':';
    return at + 1;
}

void append_length(std::string& out, std::size_t length) {
    char digits[length_bytes_max];
    out.append(digits, static_cast<std::size_t>(write_length(digits, length) - digits));
}

void append_part(std::string& out, std::string_view part) {
    append_length(out, part.size());
    out += part;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// What every key begins with, in one piece: a hit must not pay for twenty small appends.
void write_front(std::string& out, const KeyInput& in) {
    const bool reads = in.request.method == http::Method::get || in.request.method == http::Method::head;
    const std::string_view name = in.route != nullptr ? std::string_view(in.route->name) : std::string_view{};
    const std::string_view parts[] = {name, reads ? std::string_view("GET") : in.request.method_text, in.scheme};
    const std::string_view authority = in.request.authority;
    std::size_t bound = key_version.size() + length_bytes_max + authority.size();
    for (const auto part : parts) bound += length_bytes_max + part.size();
    out.resize_and_overwrite(bound, [&](char* const begin, std::size_t) noexcept {
        char* at = std::ranges::copy(key_version, begin).out;
        for (const auto part : parts) at = std::ranges::copy(part, write_length(at, part.size())).out;
        at = std::ranges::transform(authority, write_length(at, authority.size()), lower).out;
        return static_cast<std::size_t>(at - begin);
    });
}

bool append_path(std::string& out, std::string_view path) {
    if (is_normal_path(path)) {
        append_part(out, path);
        return true;
    }
    const std::size_t begin = out.size();
    if (!http::append_normalised_path(out, path)) return false;
    char digits[length_bytes_max];
    out.insert(begin, digits, static_cast<std::size_t>(write_length(digits, out.size() - begin) - digits));
    return true;
}

/// "-" is no query, "0:" an empty one.
void append_query(std::string& out, const Route* route, const http::RequestHead& request) {
    if (route == nullptr) {
        if (request.has_query)
            append_part(out, request.query);
        else
            out += '-';
        return;
    }
    const RuledQuery query(request.query, route->policy.key);
    if (query.empty()) {
        out += '-';
        return;
    }
    append_length(out, query.bytes());
    query.for_each_piece([&](std::string_view piece) { out += piece; });
}

/// Every line of a chosen field, closed by a mark that no length begins with.
void append_headers(std::string& out, const Route& route, http::FieldSpan fields) {
    for (const std::string& name : route.policy.key.headers) {
        for (const http::Field& field : fields)
            if (http::iequals(field.name, name)) append_part(out, field.value);
        out += ';';
    }
}

void append_hash(std::string& out, std::string_view text, const base::Hash128& secret) {
    static constexpr char hex[] = "0123456789abcdef";
    const base::Hash128 hash = base::keyed_hash(secret, text);
    for (const std::uint64_t half : {hash.high, hash.low})
        for (unsigned shift = 64; shift > 0; shift -= 4) out += hex[(half >> (shift - 4)) & 0xFU];
}

void append_identity(std::string& out, const KeyInput& in) {
    if (in.route == nullptr || in.route->policy.cache.per != Per::user || !in.identity.present) return;
    out += 'u';
    append_hash(out, in.identity.text, in.identity_secret);
    if (in.identity.from_authorization) return;
    // A header or cookie is what the client claims; whoever claims it with other credentials gets an entry of their
    // own.
    if (const auto credentials = http::find(in.request.fields, FieldId::authorization)) {
        out += 'a';
        append_hash(out, *credentials, in.identity_secret);
    }
}

/// RFC 10008 §2.7: the content, and what says how it is to be read.
void append_content(std::string& out, http::FieldSpan fields, std::string_view content) {
    std::string hashed;
    for (const FieldId id : {FieldId::content_type, FieldId::content_encoding, FieldId::content_language}) {
        const auto value = http::joined(fields, id);
        append_part(hashed, value ? *value : "");
    }
    append_part(hashed, content);
    std::array<unsigned char, 32> digest;
    base::sha256(hashed, digest.data());
    out += 'q';
    out.append(digest.begin(), digest.end());
}

/// Takes "5:12345" off the front, with its length.
std::string_view take_part(std::string_view& key) noexcept {
    std::size_t size = 0;
    const char* const end = std::from_chars(key.data(), key.data() + key.size(), size).ptr + 1;
    const std::string_view part(end, size);
    key.remove_prefix(static_cast<std::size_t>(end - key.data()) + size);
    return part;
}

bool has_key(const Route* route, const http::RequestHead& request) noexcept {
    if (route != nullptr && route->policy.cache.pass) return false;
    return request.method == http::Method::get || request.method == http::Method::head ||
           request.method == http::Method::query;
}

std::string as_received(const http::RequestHead& request) {
    std::string out(request.path);
    if (request.has_query) (out += '?') += request.query;
    return out;
}

}  // namespace

std::optional<std::string_view> cookie_value(http::FieldSpan request, std::string_view name) noexcept {
    for (const http::Field& field : request) {
        if (field.id != FieldId::cookie) continue;
        for (std::string_view rest = field.value; !rest.empty();) {
            const auto semicolon = rest.find(';');
            auto pair = rest.substr(0, semicolon);
            pair.remove_prefix(std::min(pair.find_first_not_of(" \t"), pair.size()));
            const auto equals = pair.find('=');
            if (equals != std::string_view::npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
            if (semicolon == std::string_view::npos) break;
            rest.remove_prefix(semicolon + 1);
        }
    }
    return std::nullopt;
}

Identity identity_of(const Route* route, const http::RequestHead& request) noexcept {
    const auto identity = [](std::optional<std::string_view> text, bool from_authorization = false) {
        if (!text || text->empty()) return Identity{};
        return Identity{true, from_authorization, *text};
    };
    if (route != nullptr && route->policy.identity.header)
        return identity(http::find(request.fields, *route->policy.identity.header));
    if (route != nullptr && route->policy.identity.cookie)
        return identity(cookie_value(request.fields, *route->policy.identity.cookie));
    return identity(http::find(request.fields, FieldId::authorization), true);
}

bool make_key(std::string& out, const KeyInput& in) {
    out.clear();
    write_front(out, in);
    if (!append_path(out, in.request.path)) return false;
    append_query(out, in.route, in.request);
    if (in.route != nullptr) append_headers(out, *in.route, in.request.fields);
    append_identity(out, in);
    if (in.content) append_content(out, in.request.fields, *in.content);
    return out.size() <= key_bytes_max;
}

std::string make_search_key(std::string_view key, const http::SearchVariance& variance) {
    std::string_view back = key.substr(key_version.size());
    for (int part = 0; part < parts_before_query; ++part) take_part(back);
    const std::string_view front = key.substr(0, key.size() - back.size());
    std::string_view query;
    if (back.starts_with('-'))
        back.remove_prefix(1);
    else
        query = take_part(back);

    std::string text(front);
    http::append_search_class(text, query, variance);
    text += back;
    std::array<unsigned char, 32> digest;
    base::sha256(text, digest.data());
    return {digest.begin(), digest.end()};
}

bool is_keyed(const Route* route, std::string_view field_name) noexcept {
    return route != nullptr && std::ranges::any_of(route->policy.key.headers, [&](const std::string& name) {
               return http::iequals(name, field_name);
           });
}

std::string forwarded_target(const Route* route, const http::RequestHead& request) {
    if (!has_key(route, request)) return as_received(request);
    std::string out;
    if (!http::append_normalised_path(out, request.path)) return as_received(request);
    if (route == nullptr) {
        if (request.has_query) (out += '?') += request.query;
        return out;
    }
    const RuledQuery query(request.query, route->policy.key);
    if (!query.empty()) out += '?';
    query.for_each_piece([&](std::string_view piece) { out += piece; });
    return out;
}

std::string forwarded_authority(const http::RequestHead& request) {
    std::string out(request.authority);
    std::ranges::transform(out, out.begin(), lower);
    return out;
}

}  // namespace etage::policy
