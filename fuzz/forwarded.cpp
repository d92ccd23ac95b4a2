// Any bytes from a client, as far as they are requests, forwarded: the origin's bytes are canonical, and mean to every
// sloppy reader what they mean to us.

#include "flow/forwarded.hpp"
#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"
#include "origin/request_writer.hpp"

#include "fuzz.hpp"
#include "twin.hpp"

#include <memory>
#include <optional>
#include <string>

using namespace etage;

namespace {

constexpr std::size_t requests_max = 8;

/// Stands for content: append_request_head() asks only whether there is any.
class SomeContent final : public net::BodySource {
public:
    asio::awaitable<Result<std::string_view>> read() override { co_return std::string_view{}; }
};

/// The content at the front of `bytes`, in the pieces it comes in; nothing when it is malformed or not whole.
std::optional<std::vector<std::string>> take_content(std::string_view& bytes, const http::RequestHead& head) {
    http::BodyDecoder decoder(head.body, head.content_length);
    std::vector<std::string> pieces;
    while (!decoder.finished()) {
        const auto step = decoder.step(bytes);
        bytes.remove_prefix(step.consumed);
        if (!step.content.empty()) pieces.emplace_back(step.content);
        if (step.failed || (step.consumed == 0 && !step.finished)) return std::nullopt;
        if (step.finished) break;
    }
    return pieces;
}

/// As request_writer.cpp sends it.
void append_content(std::string& out, const std::vector<std::string>& pieces, bool chunked) {
    std::array<char, 20> size_line;
    for (const std::string& piece : pieces) {
        if (chunked) out += http::chunk_head(size_line, piece.size());
        out += piece;
        if (chunked) out += "\r\n";
    }
    if (chunked) out += http::last_chunk;
}

void require_canonical(const http::RequestHead& head) {
    using enum http::FieldId;
    fuzz::require(head.minor == 1 && head.scheme.empty());
    std::size_t hosts = 0;
    for (const http::Field& field : head.fields) {
        hosts += field.id == host;
        fuzz::require(field.id == connection || field.id == upgrade || field.id == transfer_encoding ||
                      !http::is_hop_by_hop(field.id));
        if (field.id == transfer_encoding) fuzz::require(field.value == "chunked");
        fuzz::require(field.id != forwarded && !http::iequals(field.name, "x_forwarded_for"));
        if (field.id == x_forwarded_for) fuzz::require(field.value == "192.0.2.1");
    }
    fuzz::require(hosts == 1);
}

/// Reads what was forwarded as we read clients: no reader is stricter.
std::vector<fuzz::Understood> read_strictly(std::string_view bytes) {
    std::vector<fuzz::Understood> out;
    const auto slots = std::make_unique<http::FieldSlots>();
    while (!bytes.empty()) {
        http::HeadParser parser({.request_line_bytes_max = 64 * 1024, .head_bytes_max = 256 * 1024, .fields_max = 128});
        http::RequestHead head;
        fuzz::require(parser.parse_request(bytes, *slots, head).state == http::ParseState::complete);
        require_canonical(head);
        bytes.remove_prefix(head.head_bytes);
        const auto content = take_content(bytes, head);
        fuzz::require(content.has_value());
        std::size_t length = 0;
        for (const std::string& piece : *content) length += piece.size();
        out.emplace_back(std::string(head.target), length);
    }
    return out;
}

/// The origin's bytes of all whole requests that the client's begin with.
std::string forward(std::string_view bytes, std::vector<fuzz::Understood>& meant) {
    std::string out;
    const auto slots = std::make_unique<http::FieldSlots>();
    while (meant.size() < requests_max) {
        http::HeadParser parser;
        http::RequestHead head;
        if (parser.parse_request(bytes, *slots, head).state != http::ParseState::complete) break;
        bytes.remove_prefix(head.head_bytes);
        const auto content = take_content(bytes, head);
        if (!content) break;
        const bool fill = !head.has_body() && (head.method == http::Method::get || head.method == http::Method::head);
        auto request = flow::origin_request(head, "http", "192.0.2.1", {}, fill, "1.1 etage");
        if (head.has_body()) {
            request.body = std::make_shared<SomeContent>();
            request.expects_continue = head.expects_continue;
            if (head.body == http::BodyKind::length) request.content_length = head.content_length;
        }
        origin::append_request_head(out, request, "origin.test");
        std::size_t length = 0;
        if (head.has_body()) {
            append_content(out, *content, head.body == http::BodyKind::chunked);
            for (const std::string& piece : *content) length += piece.size();
        }
        meant.emplace_back(request.target, length);
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<fuzz::Understood> meant;
    const std::string sent = forward(fuzz::text_of(data, size), meant);
    fuzz::require(read_strictly(sent) == meant);
    for (const fuzz::Twin& twin : fuzz::twins) {
        std::string_view left = sent;
        fuzz::require(twin.read(left) == meant && left.empty());
    }
    return 0;
}
