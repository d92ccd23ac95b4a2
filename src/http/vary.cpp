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

/// Appends the request's values of one field; false when it has none.
bool append_values(std::string& out, std::string_view name, FieldSpan request) {
    const FieldId id = field_id(name);
    const bool list = is_list_field(id);
    const std::size_t begin = out.size();
    bool present = false;
    for (const Field& field : request) {
        if (!is_named(field, id, name)) continue;
        if (id == FieldId::accept_encoding) return append_codings(out, request), true;
        if (list) {
            append_elements(out, begin, field.value);
        } else {
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
