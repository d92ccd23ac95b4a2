#include "post_input.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace etage::demo {

namespace {

using nlohmann::json;

/// Arrays and objects by their name only: writing one out recurses as deep as the client has nested it.
std::string shown(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_structured() ? value.type_name() : value.dump();
}

[[noreturn]] void refuse(const std::string& member, const json& value, std::string bound, std::string_view wish) {
    throw Problem::unprocessable(member, shown(value), std::move(bound), member + " must " + std::string(wish));
}

/// nlohmann::json has checked that it is UTF-8: every byte that does not continue a character begins one.
std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool has_controls(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::string read_title(const json& value) {
    const std::string bound = "1.." + std::to_string(title_characters_max) + " characters";
    if (!value.is_string()) refuse("title", value, bound, "be a string");
    std::string text = value.get<std::string>();
    if (text.empty() || characters(text) > title_characters_max) refuse("title", value, bound, "have " + bound);
    if (has_controls(text)) refuse("title", value, bound, "not contain control characters");
    return text;
}

std::string read_category(const json& value) {
    const std::string bound = "1.." + std::to_string(category_bytes_max) + " of a-z, 0-9 and -";
    if (!value.is_string()) refuse("category", value, bound, "be a string");
    std::string text = value.get<std::string>();
    const bool fits =
        std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
    if (text.empty() || text.size() > category_bytes_max || !fits) refuse("category", value, bound, "have " + bound);
    return text;
}

void read_id(const json& value, std::optional<std::int64_t> id) {
    if (id && value == json(*id)) return;
    if (id) refuse("id", value, std::to_string(*id), "be the one of the path, " + std::to_string(*id));
    refuse("id", value, "none", "not be given: a new post is given the next one");
}

}  // namespace

PostInput read_post(const Request& request, Wanted wanted, std::optional<std::int64_t> id) {
    const auto content = request.json<json>();
    if (!content.is_object()) throw Problem(400, "", "the request's body must be a JSON object");
    PostInput input;
    for (const auto& [member, value] : content.items()) {
        if (member == "title")
            input.title = read_title(value);
        else if (member == "category")
            input.category = read_category(value);
        else if (member == "id")
            read_id(value, id);
        else
            refuse(member, value, "title, category", "not be given: a post has a title and a category");
    }
    if (wanted == Wanted::both && !input.title) refuse("title", "", "required", "be given");
    if (wanted == Wanted::both && !input.category) refuse("category", "", "required", "be given");
    if (!input.title && !input.category)
        refuse("title", "", "title, category", "be given, or category, or both: there is nothing to change");
    return input;
}

}  // namespace etage::demo
