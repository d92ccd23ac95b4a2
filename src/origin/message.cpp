// The public request and answer of handlers (include/etage/message.hpp).

#include "http/message.hpp"

#include "http/h1_writer.hpp"
#include "http/problem.hpp"
#include "http/uri.hpp"

#include <etage/message.hpp>

#include <algorithm>
#include <stdexcept>

namespace etage {

namespace {

/// A value quoted in a problem document: enough to recognise it, not enough to make the answer large.
constexpr std::size_t quoted_bytes_max = 128;

std::string shortened(std::string_view text) {
    if (text.size() <= quoted_bytes_max) return std::string(text);
    auto end = quoted_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;  // not in the middle of a character
    return std::string(text.substr(0, end)) + "…";
}

void check_field(std::string_view name, std::string_view value) {
    if (!http::is_token(name)) throw std::invalid_argument("not a header field name: " + shortened(name));
    if (!http::is_field_value(value))
        throw std::invalid_argument("not a header field value, in " + std::string(name) + ": " + shortened(value));
}

void add_given(GivenValues& given, std::string_view raw, bool plus_is_space) {
    if (auto decoded = http::percent_decode(raw, plus_is_space))
        given.values.push_back(*std::move(decoded));
    else
        given.undecodable = true;
}

std::optional<std::string> first_of(GivenValues given) {
    if (given.values.empty()) return std::nullopt;
    return std::move(given.values.front());
}

}  // namespace

Problem Problem::unprocessable(std::string parameter, std::string_view value, std::string bound, std::string detail) {
    return Problem(422, "Unprocessable Content", std::move(detail),
                   {{"parameter", std::move(parameter)}, {"value", shortened(value)}, {"bound", std::move(bound)}});
}

std::optional<std::string_view> Request::header(std::string_view name) const noexcept {
    const auto found =
        std::ranges::find_if(parts_.headers, [&](const NameValue& h) { return http::iequals(h.name, name); });
    if (found == parts_.headers.end()) return std::nullopt;
    return found->value;
}

std::optional<std::string_view> Request::identity() const noexcept { return parts_.identity; }

std::optional<std::string> Request::query(std::string_view name) const { return first_of(query_values(name)); }
std::optional<std::string> Request::path(std::string_view name) const { return first_of(path_values(name)); }

GivenValues Request::query_values(std::string_view name) const {
    GivenValues given;
    http::for_each_parameter(parts_.query, [&](std::string_view raw_name, std::string_view raw_value, bool) {
        if (http::percent_decode(raw_name, true) == name) add_given(given, raw_value, true);
    });
    return given;
}

GivenValues Request::path_values(std::string_view name) const {
    GivenValues given;
    for (const NameValue& parameter : parts_.path_parameters)
        if (parameter.name == name) add_given(given, parameter.value, false);
    return given;
}

Problem Request::not_json(std::string_view why) {
    return Problem(400, "", "the request's body is not the JSON that is expected here: " + shortened(why));
}

Response Response::text(std::string content, int status) {
    return Response(status).body(std::move(content), "text/plain; charset=utf-8");
}

Response Response::problem(int status, std::string title, std::string detail) {
    return problem(Problem(status, std::move(title), std::move(detail)));
}

Response Response::problem(const Problem& problem) {
    std::string document = http::problem_json(problem.status(), "", problem.title(), problem.detail());
    document.erase(document.rfind('}'));
    for (const NameValue& member : problem.members()) {
        document += ',';
        http::append_json_string(document, member.name);
        document += ':';
        http::append_json_string(document, member.value);
    }
    document += "}\n";
    return Response(problem.status()).body(std::move(document), http::problem_media_type);
}

Response Response::created(std::string location) { return Response(201).header("Location", location); }

Response& Response::header(std::string_view name, std::string_view value) & {
    check_field(name, value);
    std::erase_if(headers_, [&](const NameValue& h) { return http::iequals(h.name, name); });
    headers_.push_back({std::string(name), std::string(value)});
    return *this;
}

Response& Response::add_header(std::string_view name, std::string_view value) & {
    check_field(name, value);
    headers_.push_back({std::string(name), std::string(value)});
    return *this;
}

Response& Response::body(std::string content, std::string_view content_type) & {
    body_ = std::move(content);
    return header("Content-Type", content_type);
}

Response& Response::tag(std::string text) & {
    tags_.push_back(std::move(text));
    return *this;
}

Response& Response::invalidate(std::string tag_text) & {
    invalidates_.push_back(std::move(tag_text));
    return *this;
}

}  // namespace etage
