// Any bytes as a request: one judgement however they arrive, and what is taken, written again, is understood the same.

#include "heads.hpp"
#include "http/h1_writer.hpp"

#include <string>

using namespace etage;

namespace {

using Judged = fuzz::Judged<http::RequestHead>;

http::ParseOutcome parse(http::HeadParser& parser, std::string_view bytes, http::FieldSlots& slots,
                         http::RequestHead& out) {
    return parser.parse_request(bytes, slots, out);
}

void check_parts(const http::RequestHead& head, std::string_view input) {
    for (const auto part : {head.method_text, head.target, head.scheme, head.authority, head.query})
        fuzz::require_inside(part, input);
    fuzz::require(!head.path.empty() && (head.path == "*" || head.path.front() == '/'));
    fuzz::require(head.minor == 0 || !head.authority.empty());
    fuzz::require(head.body == http::BodyKind::length || head.content_length == 0);
    fuzz::require(head.target.find_first_of(" #\r\n") == head.target.npos);
    fuzz::require(http::is_token(head.method_text) && head.method == http::method_of(head.method_text));
    for (const http::Field& field : head.fields)
        fuzz::require(http::is_token(field.name) && http::is_field_value(field.value));
}

void check_rewritten(const http::RequestHead& head) {
    std::string bytes;
    http::append_request_line(bytes, head.method_text, head.target);
    for (const http::Field& field : head.fields) http::append_field(bytes, field.name, field.value);
    bytes += "\r\n";
    const auto again = fuzz::judge<http::RequestHead>(bytes, {.head_bytes_max = 64 * 1024}, bytes.size(), parse);
    if (head.minor == 0 && again->outcome.state == http::ParseState::failed) return;  // HTTP/1.1 asks for more
    fuzz::require(again->outcome.state == http::ParseState::complete);
    fuzz::require(again->head.path == head.path && again->head.query == head.query &&
                  again->head.authority == head.authority && again->head.body == head.body &&
                  again->head.content_length == head.content_length &&
                  fuzz::same_fields(again->head.fields, head.fields));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::text_of(data, size);
    for (const auto& limits : fuzz::limits_to_try)
        if (const auto judged = fuzz::require_one_judgement<http::RequestHead>(bytes, limits, parse)) {
            check_parts(judged->head, bytes);
            check_rewritten(judged->head);
        }
    return 0;
}
