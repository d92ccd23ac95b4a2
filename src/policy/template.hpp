#pragma once
// Templates in tags: "posts:cat:{query.category}".

#include "http/message.hpp"

#include <etage/error.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace etage::policy {

/// What a template may draw from. Everything borrows.
struct TemplateInput {
    std::span<const std::string> capture_names;
    std::span<const std::string_view> captures;
    std::string_view query;
    http::FieldSpan fields;
};

class Template {
public:
    /// `{path.name}`, `{query.name}`, `{header.Name}`; `{{` is a literal brace. `capture_names` are the names a pattern
    /// has; an unknown one is an error that says the nearest. An empty template is an error.
    static Result<Template> compile(std::string_view text, std::span<const std::string> capture_names);

    /// Appends the expansion; returns false, and appends nothing, when a value is absent or empty (DESIGN §10: no tag).
    /// Path and query values are percent-decoded; a value that does not decode is absent. Of several parameters or
    /// field lines of one name the first counts.
    bool expand(std::string& out, const TemplateInput&) const;

    std::string_view text() const noexcept { return text_; }

private:
    enum class From : std::uint8_t { literal, path, query, header };
    struct Part {
        From from = From::literal;
        std::string text;
    };

    static Result<Part> parse_reference(std::string_view text, std::string_view reference,
                                        std::span<const std::string> capture_names);

    std::string text_;
    std::vector<Part> parts_;
};

}  // namespace etage::policy
