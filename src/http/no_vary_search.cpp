#include "http/no_vary_search.hpp"

#include "http/structured.hpp"
#include "http/uri.hpp"

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace etage::http {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

std::string without_escapes(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const int escaped = raw[i] == '%' ? escaped_byte(raw.substr(i)) : -1;
        if (escaped >= 0) {
            out += static_cast<char>(escaped);
            i += 2;
        } else {
            out += raw[i] == '+' ? ' ' : raw[i];
        }
    }
    return out;
}

/// The decoder of WHATWG Encoding §8.1.1, whose output is UTF-8 again.
class Utf8Repair {
public:
    explicit Utf8Repair(std::string& out) noexcept : out_(out) {}

    void take(char c) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (left_ == 0) return lead(c, byte);
        if (byte < low_ || byte > high_) {
            give_up();
            return lead(c, byte);
        }
        low_ = 0x80;
        high_ = 0xBF;
        pending_ += c;
        if (--left_ == 0) flush();
    }
    void finish() {
        if (left_ != 0) give_up();
    }

private:
    void lead(char c, std::uint8_t byte) {
        if (byte >= 0x80 && (byte < 0xC2 || byte > 0xF4)) return static_cast<void>(out_ += replacement_character);
        pending_ += c;
        if (byte < 0x80) return flush();
        left_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
        if (byte == 0xE0) low_ = 0xA0;
        if (byte == 0xED) high_ = 0x9F;
        if (byte == 0xF0) low_ = 0x90;
        if (byte == 0xF4) high_ = 0x8F;
    }
    void flush() {
        out_ += pending_;
        pending_.clear();
    }
    void give_up() {
        out_ += replacement_character;
        pending_.clear();
        left_ = 0;
        low_ = 0x80;
        high_ = 0xBF;
    }

    std::string& out_;
    std::string pending_;
    int left_ = 0;
    std::uint8_t low_ = 0x80;
    std::uint8_t high_ = 0xBF;
};

bool is_ascii(std::string_view text) noexcept {
    return std::ranges::none_of(text, [](char c) { return (static_cast<std::uint8_t>(c) & 0x80U) != 0; });
}

/// §5.3, for each name. Nothing when `value` is no inner list of strings.
std::optional<std::vector<std::string>> read_names(std::string_view value) {
    auto names = parse_sf_inner_strings(value);
    if (!names) return std::nullopt;
    for (std::string& name : *names) name = form_decode(name);
    std::ranges::sort(*names);
    const auto twice = std::ranges::unique(*names);
    names->erase(twice.begin(), twice.end());
    return names;
}

struct Parameter {
    std::string name;
    std::size_t place;  // keeps those of one name in their order
    std::string value;

    friend bool operator<(const Parameter& a, const Parameter& b) noexcept {
        return std::tie(a.name, a.place) < std::tie(b.name, b.place);
    }
};

std::vector<Parameter> parameters_that_count(std::string_view query, const SearchVariance& variance) {
    std::vector<Parameter> out;
    for_each_parameter(query, [&](std::string_view name, std::string_view value, bool) {
        std::string decoded = form_decode(name);
        if (variance.counts(decoded)) out.push_back({std::move(decoded), out.size(), form_decode(value)});
    });
    // The draft sorts by UTF-16 code units; for the question whether two lists are equal any fixed order will do.
    if (variance.ignores_order) std::sort(out.begin(), out.end());
    return out;
}

void append_count(std::string& out, std::size_t count) { (out += std::to_string(count)) += ':'; }

void append_counted(std::string& out, std::string_view text) {
    append_count(out, text.size());
    out += text;
}

}  // namespace

std::string form_decode(std::string_view raw) {
    std::string bytes = without_escapes(raw);
    if (is_ascii(bytes)) return bytes;
    std::string out;
    Utf8Repair repair(out);
    for (const char c : bytes) repair.take(c);
    repair.finish();
    return out;
}

bool SearchVariance::counts(std::string_view name) const noexcept {
    return std::ranges::binary_search(names, name) == only_named;
}

std::optional<SearchVariance> parse_no_vary_search(std::string_view text) {
    std::optional<std::string_view> order, params, except;
    SfDictionary members(text);
    for (SfMember member; members.next(member);) {
        if (member.key == "key-order") order = member.value;
        if (member.key == "params") params = member.value;
        if (member.key == "except") except = member.value;
    }
    if (members.failed()) return std::nullopt;

    SearchVariance out;
    if (order && *order != "?1" && *order != "?0") return std::nullopt;
    out.ignores_order = order == "?1";
    const bool all = params == "?1";  // until draft -05
    if (params && except && !all) return std::nullopt;
    out.only_named = all || except;
    const auto list = except ? except : all ? std::nullopt : params;
    if (!list) return out;
    auto names = read_names(*list);
    if (!names) return std::nullopt;
    out.names = std::move(*names);
    return out;
}

SearchVariance search_variance(FieldSpan response) {
    const auto text = joined(response, FieldId::no_vary_search);
    if (!text) return {};
    return parse_no_vary_search(*text).value_or(SearchVariance{});
}

void append_search_class(std::string& out, std::string_view query, const SearchVariance& variance) {
    out += variance.ignores_order ? 'o' : '-';
    out += variance.only_named ? 'e' : 'p';
    append_count(out, variance.names.size());
    for (const std::string& name : variance.names) append_counted(out, name);
    const auto parameters = parameters_that_count(query, variance);
    append_count(out, parameters.size());
    for (const Parameter& parameter : parameters) {
        append_counted(out, parameter.name);
        append_counted(out, parameter.value);
    }
}

}  // namespace etage::http
