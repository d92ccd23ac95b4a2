#include "http/negotiation.hpp"

#include "http/token.hpp"

#include <algorithm>

namespace etage::http {
namespace {

constexpr std::uint16_t weight_one = 1000;

/// qvalue (RFC 9110 §12.4.2): 0 to 1 with up to three decimals, in thousandths.
std::optional<std::uint16_t> parse_qvalue(std::string_view text) noexcept {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    int value = (text[0] - '0') * weight_one;
    int digit_weight = 100;
    for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (c < '0' || c > '9') return std::nullopt;
        value += (c - '0') * digit_weight;
        digit_weight /= 10;
    }
    return value <= weight_one ? std::optional(static_cast<std::uint16_t>(value)) : std::nullopt;
}

using Weight = std::optional<std::uint16_t>;

void keep_lower(Weight& kept, std::uint16_t weight) noexcept { kept = std::min(kept.value_or(weight), weight); }

}  // namespace

std::optional<std::uint16_t> parse_weight(std::string_view text) noexcept {
    if (text.empty()) return weight_one;
    if (text[0] != ';') return std::nullopt;
    const std::string_view parameter = trim(text.substr(1));
    if (!iequals(parameter.substr(0, 2), "q=")) return std::nullopt;
    return parse_qvalue(parameter.substr(2));
}

std::string_view coding_name(Coding coding) noexcept {
    switch (coding) {
        case Coding::identity: return "identity";
        case Coding::gzip: return "gzip";
        case Coding::br: return "br";
        case Coding::zstd: return "zstd";
    }
    return "";
}

bool coding_of(std::string_view name, Coding& out) noexcept {
    if (iequals(name, "x-gzip")) name = "gzip";  // RFC 9110 §8.4.1.3
    for (const Coding coding : codings_by_size) {
        if (!iequals(name, coding_name(coding))) continue;
        out = coding;
        return true;
    }
    return false;
}

CodingWeights coding_weights(FieldSpan request) noexcept {
    std::array<Weight, coding_count> listed;
    Weight star;
    for_each_element(request, FieldId::accept_encoding, [&](std::string_view element) {
        const auto semicolon = std::min(element.find(';'), element.size());
        const std::string_view name = trim(element.substr(0, semicolon));
        const Weight weight = parse_weight(element.substr(semicolon));
        Coding coding{};
        if (!weight) return;
        if (name == "*")
            keep_lower(star, *weight);
        else if (coding_of(name, coding))
            keep_lower(listed[static_cast<std::size_t>(coding)], *weight);
    });
    CodingWeights out;
    for (std::size_t i = 0; i < coding_count; ++i) out.thousandths[i] = listed[i].value_or(star.value_or(0));
    const Weight identity = listed[static_cast<std::size_t>(Coding::identity)];
    out.identity_refused = identity ? *identity == 0 : star && *star == 0;
    return out;
}

bool accepts(FieldSpan request, Coding coding) noexcept {
    if (!contains(request, FieldId::accept_encoding)) return true;
    const CodingWeights weights = coding_weights(request);
    return coding == Coding::identity ? !weights.identity_refused : weights.of(coding) > 0;
}

CodingChoice choose_coding(FieldSpan request, CodingSet available) noexcept {
    return best_coding(coding_weights(request), available);
}

CodingChoice best_coding(const CodingWeights& weights, CodingSet available) noexcept {
    CodingChoice best{Coding::identity, !weights.identity_refused};
    std::uint16_t best_weight = 0;
    for (const Coding coding : codings_by_size) {
        if (!available.has(coding) && coding != Coding::identity) continue;
        if (weights.of(coding) <= best_weight) continue;
        best = {coding, true};
        best_weight = weights.of(coding);
    }
    return best;
}

}  // namespace etage::http
