// Any bytes as a response, to GET and to HEAD: one judgement however they arrive, no content where there can be none,
// and what is taken, written again, is understood the same.

#include "heads.hpp"
#include "http/h1_writer.hpp"

#include <string>

using namespace etage;

namespace {

auto parse_answer_to(http::Method method) {
    return [method](http::HeadParser& parser, std::string_view bytes, http::FieldSlots& slots,
                    http::ResponseHead& out) { return parser.parse_response(bytes, method, slots, out); };
}

void check_parts(const http::ResponseHead& head, http::Method method, std::string_view input) {
    fuzz::require_inside(head.reason, input);
    fuzz::require(head.status >= 100 && head.status <= 999 && http::is_field_value(head.reason));
    const bool none = method == http::Method::head || head.status < 200 || head.status == 204 || head.status == 304;
    fuzz::require(none == (head.body == http::BodyKind::none));
    fuzz::require(head.body != http::BodyKind::until_close || !head.keep_alive);
    for (const http::Field& field : head.fields)
        fuzz::require(http::is_token(field.name) && http::is_field_value(field.value));
}

void check_rewritten(const http::ResponseHead& head, http::Method method) {
    std::string bytes;
    http::append_status_line(bytes, head.status, head.reason);
    for (const http::Field& field : head.fields) http::append_field(bytes, field.name, field.value);
    bytes += "\r\n";
    const auto again =
        fuzz::judge<http::ResponseHead>(bytes, {.head_bytes_max = 64 * 1024}, bytes.size(), parse_answer_to(method));
    fuzz::require(again->outcome.state == http::ParseState::complete);
    fuzz::require(again->head.status == head.status && again->head.body == head.body &&
                  again->head.content_length == head.content_length &&
                  fuzz::same_fields(again->head.fields, head.fields));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::text_of(data, size);
    for (const auto method : {http::Method::get, http::Method::head})
        for (const auto& limits : fuzz::limits_to_try)
            if (const auto judged =
                    fuzz::require_one_judgement<http::ResponseHead>(bytes, limits, parse_answer_to(method))) {
                check_parts(judged->head, method, bytes);
                check_rewritten(judged->head, method);
            }
    return 0;
}
