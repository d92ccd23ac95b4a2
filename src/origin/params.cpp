// What parameters say when a value does not fit (include/etage/params.hpp).

#include <etage/params.hpp>

namespace etage::detail {

namespace {

GivenValues given_values(const Request& request, const ParameterRule& rule) {
    switch (rule.from) {
        case ParameterFrom::query: return request.query_values(rule.name);
        case ParameterFrom::path: return request.path_values(rule.name);
        case ParameterFrom::header: break;
    }
    GivenValues given;
    if (const auto value = request.header(rule.name)) given.values.emplace_back(*value);
    return given;
}

/// "1..100", "1..", "..100", "tech|life", "" when there is none.
std::string bound_text(const ParameterRule& rule) {
    if (!rule.choices.empty()) {
        std::string text;
        for (const std::string& choice : rule.choices) text += (text.empty() ? "" : "|") + choice;
        return text;
    }
    if (rule.low.empty() && rule.high.empty()) return {};
    return rule.low + ".." + rule.high + (rule.is_length ? " characters" : "");
}

/// "between 1 and 100", "at least 1", "at most 100", "".
std::string bound_phrase(const ParameterRule& rule) {
    if (!rule.low.empty() && !rule.high.empty()) return "between " + rule.low + " and " + rule.high;
    if (!rule.low.empty()) return "at least " + rule.low;
    if (!rule.high.empty()) return "at most " + rule.high;
    return {};
}

[[noreturn]] void refuse(const ParameterRule& rule, std::string_view value, std::string bound, std::string_view wish,
                         bool quoted) {
    // The detail quotes the value as far as the member "value" does.
    Problem draft = Problem::unprocessable(rule.name, value, bound, {});
    const std::string& shown = draft.members()[1].value;
    std::string detail = rule.name + " must " + std::string(wish) + ", got " + (quoted ? '"' + shown + '"' : shown);
    throw Problem::unprocessable(rule.name, value, std::move(bound), std::move(detail));
}

/// Length of the UTF-8 sequence a text begins with, 0 when it begins with none (RFC 3629 §4).
std::size_t sequence_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0U) != 0x80) return 0;
    const unsigned second = byte(1);
    const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool outside = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    return overlong || outside ? 0 : length;
}

}  // namespace

std::optional<std::string> given_value(const Request& request, const ParameterRule& rule) {
    GivenValues given = given_values(request, rule);
    if (given.undecodable) refuse(rule, "", bound_text(rule), "be valid percent-encoding", true);
    if (given.values.empty()) return std::nullopt;
    if (given.values.size() > 1)
        throw Problem::unprocessable(
            rule.name, given.values[1], "once",
            rule.name + " must be given once, got it " + std::to_string(given.values.size()) + " times");
    return std::move(given.values.front());
}

void refuse_absent(const ParameterRule& rule) {
    throw Problem::unprocessable(rule.name, "", bound_text(rule), rule.name + " is required, and not given");
}

void refuse_kind(const ParameterRule& rule, std::string_view value) {
    std::string wish = "be " + std::string(rule.kind);
    if (rule.kind == "text")
        wish = "be valid UTF-8";
    else if (const auto phrase = bound_phrase(rule); !phrase.empty())
        wish += " " + phrase;
    refuse(rule, value, bound_text(rule), wish, true);
}

void refuse_bound(const ParameterRule& rule, std::string_view value) {
    if (rule.is_length) refuse(rule, value, bound_text(rule), "have " + bound_phrase(rule) + " characters", true);
    refuse(rule, value, bound_text(rule), "be " + bound_phrase(rule), false);
}

void refuse_choice(const ParameterRule& rule, std::string_view value) {
    std::string wish = "be one of ";
    for (std::size_t i = 0; i < rule.choices.size(); ++i) wish += (i == 0 ? "" : ", ") + rule.choices[i];
    refuse(rule, value, bound_text(rule), wish, true);
}

std::optional<std::size_t> utf8_characters(std::string_view text) noexcept {
    std::size_t characters = 0;
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) return std::nullopt;
        text.remove_prefix(length);
        ++characters;
    }
    return characters;
}

}  // namespace etage::detail
