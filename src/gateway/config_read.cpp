#include "gateway/config_read.hpp"

#include "base/nearest.hpp"

#include <charconv>
#include <cmath>

namespace etage::gateway {
namespace {

std::string describe(const Node& node) {
    struct Describe {
        std::string operator()(const std::string& text) const { return "the string \"" + text + "\""; }
        std::string operator()(bool flag) const { return flag ? "true" : "false"; }
        std::string operator()(std::int64_t number) const { return "the number " + std::to_string(number); }
        std::string operator()(double) const { return "a number with a fraction"; }
        std::string operator()(Node::Date) const { return "a date"; }
        std::string operator()(const Node::List&) const { return "a list"; }
        std::string operator()(const Node::Table&) const { return "a table"; }
    };
    return std::visit(Describe{}, node.value);
}

void wrong_type(const Node& node, Problems& problems, std::string_view expected) {
    problems.add(node, "expected " + std::string(expected) + ", not " + describe(node));
}

template <class T>
std::optional<T> number_in(std::string_view text) {
    T value{};
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

/// The text of a unit-carrying value; bare whole numbers of TOML are given as text too, so that the unit's parser
/// answers.
std::optional<std::string> text_or_number(const Node& node) {
    if (const auto* text = std::get_if<std::string>(&node.value)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&node.value)) return std::to_string(*number);
    return std::nullopt;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::vector<Node> split(const Node& node, std::string_view text) {
    std::vector<Node> out;
    while (!text.empty()) {
        const auto comma = text.find(',');
        if (const auto part = trim(text.substr(0, comma)); !part.empty())
            out.push_back({std::string(part), node.where, node.name, true});
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    return out;
}

}  // namespace

std::string Problems::text() const {
    std::string out;
    for (const auto& line : lines_) out += line + "\n";
    return out;
}

std::optional<std::string> read_text(const Node& node, Problems& problems) {
    if (const auto* text = std::get_if<std::string>(&node.value)) return *text;
    wrong_type(node, problems, "a string");
    return std::nullopt;
}

std::optional<bool> read_flag(const Node& node, Problems& problems) {
    if (const auto* flag = std::get_if<bool>(&node.value)) return *flag;
    if (const auto* text = std::get_if<std::string>(&node.value); text != nullptr && node.untyped) {
        if (*text == "true" || *text == "1" || *text == "yes" || *text == "on") return true;
        if (*text == "false" || *text == "0" || *text == "no" || *text == "off") return false;
    }
    wrong_type(node, problems, "true or false");
    return std::nullopt;
}

std::optional<std::uint64_t> read_count(const Node& node, Problems& problems, std::uint64_t min, std::uint64_t max) {
    std::optional<std::int64_t> number;
    if (const auto* whole = std::get_if<std::int64_t>(&node.value))
        number = *whole;
    else if (const auto* text = std::get_if<std::string>(&node.value); text != nullptr && node.untyped)
        number = number_in<std::int64_t>(trim(*text));
    if (!number) {
        wrong_type(node, problems, "a whole number");
        return std::nullopt;
    }
    if (*number < 0 || static_cast<std::uint64_t>(*number) < min || static_cast<std::uint64_t>(*number) > max) {
        problems.add(
            node, std::to_string(*number) + " is not between " + std::to_string(min) + " and " + std::to_string(max));
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(*number);
}

std::optional<double> read_number(const Node& node, Problems& problems, double min) {
    std::optional<double> number;
    if (const auto* real = std::get_if<double>(&node.value))
        number = *real;
    else if (const auto* whole = std::get_if<std::int64_t>(&node.value))
        number = static_cast<double>(*whole);
    else if (const auto* text = std::get_if<std::string>(&node.value); text != nullptr && node.untyped)
        number = number_in<double>(trim(*text));
    if (!number || !std::isfinite(*number)) {
        wrong_type(node, problems, "a number");
        return std::nullopt;
    }
    if (*number < min) {
        problems.add(node, "is too small");
        return std::nullopt;
    }
    return number;
}

std::optional<Duration> read_duration(const Node& node, Problems& problems, Duration min) {
    const auto text = text_or_number(node);
    if (!text) {
        wrong_type(node, problems, "a duration like \"60s\"");
        return std::nullopt;
    }
    const auto duration = parse_duration(trim(*text));
    if (!duration) {
        problems.add(node, duration.error());
        return std::nullopt;
    }
    if (*duration < min) {
        problems.add(node, "\"" + *text + "\" is too short; the least is \"" + format_duration(min) + "\"");
        return std::nullopt;
    }
    return *duration;
}

std::optional<std::uint64_t> read_size(const Node& node, Problems& problems, std::uint64_t min, std::uint64_t max) {
    const auto text = text_or_number(node);
    if (!text) {
        wrong_type(node, problems, "a size like \"256MiB\"");
        return std::nullopt;
    }
    const auto size = parse_size(trim(*text));
    if (!size) {
        problems.add(node, size.error());
        return std::nullopt;
    }
    if (*size < min || *size > max) {
        problems.add(node, "\"" + *text + "\" is too " +
                               (*size < min ? "small; the least is " : "large; the most is ") +
                               std::to_string(*size < min ? min : max) + " bytes");
        return std::nullopt;
    }
    return *size;
}

std::optional<std::vector<Node>> read_nodes(const Node& node, Problems& problems) {
    if (const auto* text = std::get_if<std::string>(&node.value))
        return node.untyped ? split(node, *text) : std::vector<Node>{node};
    const auto* list = std::get_if<Node::List>(&node.value);
    if (list == nullptr) {
        wrong_type(node, problems, "a list of strings");
        return std::nullopt;
    }
    bool fine = true;
    for (const Node& element : *list)
        if (!read_text(element, problems)) fine = false;
    return fine ? std::optional(*list) : std::nullopt;
}

std::optional<std::vector<std::string>> read_list(const Node& node, Problems& problems) {
    const auto nodes = read_nodes(node, problems);
    if (!nodes) return std::nullopt;
    std::vector<std::string> out;
    for (const Node& element : *nodes) out.push_back(std::get<std::string>(element.value));
    return out;
}

std::optional<std::size_t> read_word(const Node& node, Problems& problems, std::span<const std::string_view> words) {
    const auto text = read_text(node, problems);
    if (!text) return std::nullopt;
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i] == *text) return i;
    problems.add(node, "unknown word \"" + *text + "\"" + suggestion(*text, words));
    return std::nullopt;
}

std::string suggestion(std::string_view wrong, std::span<const std::string_view> candidates) {
    if (const auto near = base::nearest(wrong, candidates); !near.empty())
        return "; did you mean \"" + std::string(near) + "\"?";
    std::string out = "; there is ";
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (i != 0) out += i + 1 == candidates.size() ? " and " : ", ";
        out += candidates[i];
    }
    return out;
}

const Node::Table* read_members(const Node& node, Problems& problems) {
    const auto* table = std::get_if<Node::Table>(&node.value);
    if (table == nullptr) wrong_type(node, problems, "a table");
    return table;
}

void unknown_key(const Member& member, const Node& table, std::span<const std::string_view> valid, Problems& problems) {
    problems.add(member.where, "unknown key \"" + member.key + "\" in " + table.name + suggestion(member.key, valid));
}

}  // namespace etage::gateway
