#include "http/vary.hpp"

#include "http/grammar.hpp"
#include "http/negotiation.hpp"
#include "http/token.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <utility>

namespace etage::http {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = grammar::lowered(c);
    return out;
}

/// RFC 9111 §4.1 allows normalisation where it is known to keep the meaning; these are defined as comma lists.
bool is_list_field(FieldId id) noexcept {
    switch (id) {
        case FieldId::accept:
        case FieldId::accept_language:
        case FieldId::cache_control:
        case FieldId::forwarded:
        case FieldId::pragma:
        case FieldId::te:
        case FieldId::via:
        case FieldId::x_forwarded_for: return true;
        default: return false;
    }
}

bool is_named(const Field& field, FieldId id, std::string_view name) noexcept {
    return id != FieldId::unknown ? field.id == id : field.id == FieldId::unknown && iequals(field.name, name);
}

/// "zstd,br>gzip>identity": equally welcome codings side by side in a fixed order, less welcome ones behind '>'.
void append_codings(std::string& out, FieldSpan request) {
    const CodingWeights weights = coding_weights(request);
    auto order = codings_by_size;
    std::ranges::sort(order, std::ranges::greater{}, [&](Coding c) { return std::pair(weights.of(c), c); });
    std::uint16_t previous = 0;
    for (const Coding coding : order) {
        const std::uint16_t weight = weights.of(coding);
        const bool last_resort = weight == 0 && coding == Coding::identity && !weights.identity_refused;
        if (weight == 0 && !last_resort) continue;
        if (previous != 0) out += weight == previous ? ',' : '>';
        out += coding_name(coding);
        previous = weight;
    }
}

/// Appends to a list that begins at `begin`.
void append_elements(std::string& out, std::size_t begin, std::string_view value) {
    for_each_element(value, [&](std::string_view element) {
        if (out.size() > begin) out += ',';
        out += element;
    });
}

/// Appends a value of unknown grammar without the whitespace around its commas; what is in quotes stays.
void append_unspaced(std::string& out, std::string_view value) {
    bool quoted = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (c == '"') quoted = !quoted;
        if (quoted && c == '\\' && i + 1 < value.size()) {
            out += c;
            out += value[++i];
            continue;
        }
        const bool blank = c == ' ' || c == '\t';
        if (!quoted && blank) {
            const auto next = value.find_first_not_of(" \t", i);
            const bool before_comma = next == std::string_view::npos || value[next] == ',';
            if (before_comma || out.ends_with(',')) continue;
        }
        out += c;
    }
}

/// A language range and how welcome it is.
struct Language {
    std::string_view range;
    std::uint16_t weight = 0;
};

bool alphabetical(std::string_view a, std::string_view b) noexcept {
    const auto lower_case = [](char c) { return grammar::lowered(c); };
    return std::ranges::lexicographical_compare(a, b, std::ranges::less{}, lower_case, lower_case);
}

/// Calls each(language) for every element; false when one has no proper weight.
template <class F>
bool for_each_language(FieldSpan request, F&& each) {
    bool proper = true;
    for_each_element(request, FieldId::accept_language, [&](std::string_view element) {
        const auto semicolon = std::min(element.find(';'), element.size());
        const auto weight = parse_weight(element.substr(semicolon));
        proper = proper && weight;
        if (weight) each(Language{trim(element.substr(0, semicolon)), *weight});
    });
    return proper;
}

/// "de,en,fr;q=0.500": false, and nothing appended, when it cannot be put in order.
bool append_languages(std::string& out, FieldSpan request) {
    std::array<Language, sorted_languages_max> list;
    std::size_t size = 0;
    const bool proper = for_each_language(request, [&](const Language& one) {
        if (size < list.size()) list[size] = one;
        ++size;
    });
    if (!proper || size > list.size()) return false;
    std::ranges::sort(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(size),
                      [](const Language& a, const Language& b) {
                          return a.weight != b.weight ? a.weight > b.weight : alphabetical(a.range, b.range);
                      });
    for (std::size_t i = 0; i < size; ++i) {
        if (i > 0) out += ',';
        for (const char c : list[i].range) out += grammar::lowered(c);
        if (list[i].weight == 1000) continue;
        out += ";q=0.";
        for (const int unit : {100, 10, 1}) out += static_cast<char>('0' + list[i].weight / unit % 10);
    }
    return true;
}

/// Appends the request's values of one field; false when it has none.
bool append_values(std::string& out, std::string_view name, FieldSpan request) {
    const FieldId id = field_id(name);
    const bool list = is_list_field(id);
    const std::size_t begin = out.size();
    bool present = false;
    for (const Field& field : request) {
        if (!is_named(field, id, name)) continue;
        if (id == FieldId::accept_encoding) return append_codings(out, request), true;
        if (id == FieldId::accept_language && append_languages(out, request)) return true;
        if (list) {
            append_elements(out, begin, field.value);
        } else if (id == FieldId::unknown) {
            if (present) out += ',';
            append_unspaced(out, trim(field.value));
        } else {  // known to be no list: its commas may be anything
            if (present) out += ", ";
            out += field.value;
        }
        present = true;
    }
    if (id == FieldId::accept_language)
        for (std::size_t i = begin; i < out.size(); ++i) out[i] = grammar::lowered(out[i]);
    return present;
}

}  // namespace

VaryNames parse_vary(FieldSpan response, bool codings_are_ours) {
    VaryNames out;
    for_each_element(response, FieldId::vary, [&](std::string_view name) {
        if (name == "*" || !is_token(name))
            out.star = true;
        else if (!codings_are_ours || !iequals(name, field_name(FieldId::accept_encoding)))
            out.names.push_back(lower(name));
    });
    std::ranges::sort(out.names);
    const auto repeated = std::ranges::unique(out.names);
    out.names.erase(repeated.begin(), repeated.end());
    return out;
}

namespace {

/// Takes one field's part off a secondary key: "-" or "5:12345".
std::string_view take_part(std::string_view& key) noexcept {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), length);
    const std::size_t size = error == std::errc{} ? static_cast<std::size_t>(end - key.data()) + 1 + length : 1;
    const auto part = key.substr(0, size);
    key.remove_prefix(part.size());
    return part;
}

}  // namespace

std::optional<std::string_view> preferred_language(FieldSpan request) noexcept {
    Language best;
    bool alone = false;
    const bool proper = for_each_language(request, [&](const Language& one) {
        if (one.weight < best.weight) return;
        alone = one.weight > best.weight;
        best = one;
    });
    if (!proper || !alone || best.range == "*") return std::nullopt;
    return best.range;
}

bool same_but_language(std::string_view a, std::string_view b, const VaryNames& vary) noexcept {
    return std::ranges::all_of(vary.names, [&](const std::string& name) {
        const auto left = take_part(a);
        const auto right = take_part(b);
        return left == right || name == field_name(FieldId::accept_language);
    });
}

void append_secondary_key(std::string& out, const VaryNames& vary, FieldSpan request) {
    for (const std::string& name : vary.names) {
        const std::size_t begin = out.size();
        if (!append_values(out, name, request)) {
            out += '-';
            continue;
        }
        std::array<char, 24> prefix;
        char* end = std::to_chars(prefix.data(), prefix.data() + prefix.size(), out.size() - begin).ptr;
        *end++ = ':';
        out.insert(begin, prefix.data(), static_cast<std::size_t>(end - prefix.data()));
    }
}

}  // namespace etage::http
