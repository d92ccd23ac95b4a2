#include "http/etag.hpp"

#include "base/hash.hpp"

#include <algorithm>
#include <array>

namespace etage::http {
namespace {

constexpr std::size_t tag_bytes = 16;  // of SHA-256's 32: as far from collision as a UUID, and half as long

/// etagc (RFC 9110 §8.8.3): printable ASCII but the quote, and obs-text. No escapes, no spaces; commas are welcome.
bool is_etagc(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7F);
}

/// The entity tag `text` begins with; `length` receives how much of it that is.
std::optional<EntityTag> leading_entity_tag(std::string_view text, std::size_t& length) noexcept {
    const bool weak = text.starts_with("W/");
    const std::size_t begin = weak ? 3 : 1;
    if (text.size() < begin + 1 || text[begin - 1] != '"') return std::nullopt;
    const auto end = text.find('"', begin);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view opaque = text.substr(begin, end - begin);
    if (!std::ranges::all_of(opaque, is_etagc)) return std::nullopt;
    length = end + 1;
    return EntityTag{weak, opaque};
}

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

/// True when `matches(tag)` is, for any well-formed element of the list. A malformed element ends at the next comma.
template <class F>
bool any_tag(std::string_view list, F&& matches) noexcept {
    std::size_t i = 0;
    while (i < list.size()) {
        if (list[i] == ',' || is_blank(list[i])) {
            ++i;
            continue;
        }
        std::size_t length = 0;
        const auto tag = leading_entity_tag(list.substr(i), length);
        std::size_t end = i + length;
        while (end < list.size() && is_blank(list[end])) ++end;
        const bool whole = end == list.size() || list[end] == ',';
        if (tag && whole && matches(*tag)) return true;
        i = tag && whole ? end : std::min(list.find(',', i), list.size());
    }
    return false;
}

constexpr std::string_view coding_suffix(Coding coding) noexcept {
    switch (coding) {
        case Coding::identity: break;
        case Coding::gzip: return "-g";
        case Coding::br: return "-b";
        case Coding::zstd: return "-z";
    }
    return "";
}

constexpr std::string_view decoded_suffix = "-i";

/// `etag` with `suffix` before its closing quote; what is no entity tag unchanged.
std::string with_suffix(std::string_view etag, std::string_view suffix) {
    std::string out(etag);
    if (parse_entity_tag(etag)) out.insert(out.size() - 1, suffix);
    return out;
}

/// Whether `asked` is the tag of any coding of the content that `stored` is the tag of, all tags are made from.
bool names_a_coding_of(std::string_view asked, std::string_view stored) noexcept {
    if (!asked.starts_with(stored)) return false;
    const std::string_view suffix = asked.substr(stored.size());
    if (iequals(suffix, decoded_suffix)) return true;
    return std::ranges::any_of(codings_by_size, [&](Coding coding) { return iequals(suffix, coding_suffix(coding)); });
}

/// What a tag made here was made from.
std::optional<std::string_view> original_of(std::string_view opaque) noexcept {
    constexpr std::size_t suffix_bytes = 2;
    if (opaque.size() < suffix_bytes) return std::nullopt;
    const auto original = opaque.substr(0, opaque.size() - suffix_bytes);
    return names_a_coding_of(opaque, original) ? std::optional(original) : std::nullopt;
}

template <class F>
bool any_line_hits(FieldSpan request, FieldId id, F&& matches) noexcept {
    return std::ranges::any_of(request, [&](const Field& field) {
        return field.id == id && (field.value == "*" || any_tag(field.value, matches));
    });
}

}  // namespace

std::optional<EntityTag> parse_entity_tag(std::string_view text) noexcept {
    std::size_t length = 0;
    const auto tag = leading_entity_tag(text, length);
    return tag && length == text.size() ? tag : std::nullopt;
}

bool weakly_equal(const EntityTag& a, const EntityTag& b) noexcept { return a.opaque == b.opaque; }

bool strongly_equal(const EntityTag& a, const EntityTag& b) noexcept {
    return !a.weak && !b.weak && a.opaque == b.opaque;
}

std::string make_strong_etag(std::string_view identity_content) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::array<unsigned char, 32> digest;
    base::sha256(identity_content, digest.data());
    std::string out = "\"";
    out.reserve(2 + 2 * tag_bytes);
    for (std::size_t i = 0; i < tag_bytes; ++i) {
        out += hex[digest[i] >> 4];
        out += hex[digest[i] & 0x0F];
    }
    return out += '"';
}

std::string etag_for_coding(std::string_view etag, Coding coding, bool again) {
    std::string suffix(coding_suffix(coding));
    if (again && !suffix.empty()) suffix.back() = static_cast<char>(suffix.back() - 'a' + 'A');
    return with_suffix(etag, suffix);
}

std::string etag_for_decoded(std::string_view etag) { return with_suffix(etag, decoded_suffix); }

std::string weakened(std::string_view etag) {
    const auto tag = parse_entity_tag(etag);
    if (!tag) return {};
    return std::string(tag->weak ? "" : "W/").append(etag);
}

bool if_none_match_hits(FieldSpan request, std::string_view etag, bool codings) noexcept {
    const auto stored = parse_entity_tag(etag);
    return any_line_hits(request, FieldId::if_none_match, [&](const EntityTag& asked) {
        if (!stored) return false;
        return codings ? names_a_coding_of(asked.opaque, stored->opaque) : weakly_equal(asked, *stored);
    });
}

bool if_match_hits(FieldSpan request, std::string_view etag) noexcept {
    const auto stored = parse_entity_tag(etag);
    return any_line_hits(request, FieldId::if_match, [&](const EntityTag& asked) {
        return stored && !stored->weak && !asked.weak && names_a_coding_of(asked.opaque, stored->opaque);
    });
}

void add_original_tags(Fields& request) {
    for (const FieldId id : {FieldId::if_match, FieldId::if_none_match}) {
        const auto asked = joined(request, id);
        if (!asked) continue;
        std::string more;
        any_tag(*asked, [&](const EntityTag& tag) {
            if (const auto original = original_of(tag.opaque))
                more.append(tag.weak ? ", W/\"" : ", \"").append(*original).append("\"");
            return false;
        });
        if (!more.empty()) request.set(id, *asked + more);
    }
}

}  // namespace etage::http
