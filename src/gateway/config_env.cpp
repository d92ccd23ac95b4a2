#include "gateway/config_env.hpp"

#include <algorithm>
#include <optional>

namespace etage::gateway {
namespace {

constexpr std::string_view prefix = "ETAGE_";
constexpr std::string_view blanks = " \t\r";

bool from_kubernetes(std::string_view name) {
    return name == "ETAGE_PORT" || name.starts_with("ETAGE_PORT_") || name.starts_with("ETAGE_SERVICE_");
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Only a comment may follow a closing quote.
bool ends_after(std::string_view text, std::size_t quote) {
    const auto rest = trim(text.substr(quote + 1));
    return rest.empty() || rest.front() == '#';
}

std::optional<std::string> literal(std::string_view text) {
    const auto end = text.find('\'', 1);
    if (end == std::string_view::npos || !ends_after(text, end)) return std::nullopt;
    return std::string(text.substr(1, end - 1));
}

std::optional<std::string> escaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return ends_after(text, i) ? std::optional(out) : std::nullopt;
        if (text[i] == '\\' && i + 1 < text.size()) {
            ++i;
            out += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
        } else {
            out += text[i];
        }
    }
    return std::nullopt;  // the quote is not closed
}

std::optional<std::string> value_of(std::string_view text) {
    if (text.starts_with('\'')) return literal(text);
    if (text.starts_with('"')) return escaped(text);
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == '#' && (i == 0 || blanks.contains(text[i - 1]))) return std::string(trim(text.substr(0, i)));
    return std::string(text);
}

}  // namespace

Variables read_environment(const std::vector<std::string>& environment) {
    Variables out;
    for (const std::string& entry : environment) {
        const auto equals = entry.find('=');
        const std::string name = entry.substr(0, equals);
        if (!name.starts_with(prefix) || from_kubernetes(name)) continue;
        if (equals == std::string::npos || equals + 1 == entry.size()) continue;
        out.push_back({entry.substr(equals + 1), "environment", name, true});
    }
    // The system gives no order; errors should come in one.
    std::ranges::sort(out, {}, &Node::name);
    return out;
}

Variables read_dotenv(std::string_view text, std::string_view file_name, Problems& problems) {
    Variables out;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto newline = text.find('\n');
        std::string_view line = trim(text.substr(0, newline));
        text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
        if (line.starts_with("export ")) line = trim(line.substr(7));
        if (!line.starts_with(prefix)) continue;

        const std::string where = std::string(file_name) + ":" + std::to_string(number);
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) {
            problems.add(where, "expected NAME=VALUE");
            continue;
        }
        const std::string name(trim(line.substr(0, equals)));
        const auto value = value_of(trim(line.substr(equals + 1)));
        if (!value)
            problems.add(where, name + ": the quotes around the value do not match");
        else if (!value->empty())
            out.push_back({*value, where, name, true});
    }
    return out;
}

}  // namespace etage::gateway
