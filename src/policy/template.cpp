#include "policy/template.hpp"

#include "base/nearest.hpp"
#include "http/h1_writer.hpp"
#include "http/uri.hpp"
#include "policy/query.hpp"

#include <algorithm>
#include <optional>

namespace etage::policy {

namespace {

std::unexpected<Error> wrong(std::string_view text, std::string what) {
    return failure(Blame::client, Fault::bad_request, "template \"" + std::string(text) + "\": " + std::move(what));
}

std::string unknown_capture(std::string_view name, std::span<const std::string> names) {
    std::string what = "the pattern has no {" + std::string(name) + "}";
    if (names.empty()) return what + "; name a segment of it, as in /posts/{id}";
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    if (const auto near = base::nearest(name, candidates); !near.empty())
        return what + "; did you mean {path." + std::string(near) + "}?";
    what += "; it has";
    for (const std::string& each : names) what += " {path." + each + "}";
    return what;
}

std::optional<std::string> decoded(std::string_view raw, bool plus_is_space) {
    auto value = http::percent_decode(raw, plus_is_space);
    if (value && value->empty()) value.reset();
    return value;
}

std::optional<std::string> path_value(const std::string& name, const TemplateInput& in) {
    const auto at = std::ranges::find(in.capture_names, name) - in.capture_names.begin();
    const auto index = static_cast<std::size_t>(at);
    if (index >= in.capture_names.size() || index >= in.captures.size()) return std::nullopt;
    return decoded(in.captures[index], false);
}

/// The first parameter of that name decides: a second one must not stand in for it.
std::optional<std::string> query_value(const std::string& name, const TemplateInput& in) {
    std::optional<std::string> value;
    bool found = false;
    http::for_each_parameter(in.query, [&](std::string_view key, std::string_view raw, bool) {
        if (found || !same_name(key, name)) return;
        found = true;
        value = decoded(raw, true);
    });
    return value;
}

}  // namespace

Result<Template> Template::compile(std::string_view text, std::span<const std::string> capture_names) {
    Template out;
    out.text_ = text;
    std::string literal;
    const auto end_literal = [&] {
        if (!literal.empty()) out.parts_.push_back({From::literal, std::move(literal)});
        literal.clear();
    };
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] != '{') {
            literal += text[i++];
        } else if (text.substr(i).starts_with("{{")) {
            literal += '{';
            i += 2;
        } else {
            const auto close = text.find('}', i);
            if (close == std::string_view::npos)
                return wrong(text, "a { is not closed; write {{ for a brace that means itself");
            auto part = parse_reference(text, text.substr(i + 1, close - i - 1), capture_names);
            if (!part) return std::unexpected(std::move(part.error()));
            end_literal();
            out.parts_.push_back(std::move(*part));
            i = close + 1;
        }
    }
    end_literal();
    if (out.parts_.empty()) return wrong(text, "is empty");
    return out;
}

Result<Template::Part> Template::parse_reference(std::string_view text, std::string_view reference,
                                                 std::span<const std::string> capture_names) {
    const auto dot = reference.find('.');
    const auto from = reference.substr(0, dot);
    const auto name = dot == std::string_view::npos ? std::string_view{} : reference.substr(dot + 1);
    if (from == "path" && !name.empty()) {
        if (std::ranges::find(capture_names, name) == capture_names.end())
            return wrong(text, unknown_capture(name, capture_names));
        return Part{From::path, std::string(name)};
    }
    if (from == "query" && !name.empty()) return Part{From::query, std::string(name)};
    if (from == "header" && !name.empty()) {
        if (!http::is_token(name)) return wrong(text, "\"" + std::string(name) + "\" cannot be the name of a header");
        return Part{From::header, std::string(name)};
    }
    return wrong(text, "{" + std::string(reference) + "} is none of {path.name}, {query.name}, {header.Name}");
}

bool Template::expand(std::string& out, const TemplateInput& in) const {
    const std::size_t before = out.size();
    for (const Part& part : parts_) {
        if (part.from == From::literal) {
            out += part.text;
            continue;
        }
        if (part.from == From::header) {
            const auto value = http::find(in.fields, part.text);
            if (value && !value->empty()) {
                out += *value;
                continue;
            }
        } else if (const auto value =
                       part.from == From::path ? path_value(part.text, in) : query_value(part.text, in)) {
            out += *value;
            continue;
        }
        out.resize(before);
        return false;
    }
    return true;
}

}  // namespace etage::policy
