#include "http/h1_writer.hpp"

#include "http/grammar.hpp"

#include <charconv>
#include <cstring>

namespace etage::http {
namespace {

constexpr std::string_view crlf = "\r\n";

bool is_for_the_next_hop(const Field& field) noexcept {
    return is_hop_by_hop(field.id) || field.id == FieldId::content_length ||
           iequals(field.name, "proxy-authentication-info");  // RFC 9110 §11.7.3, RFC 9111 §3.1
}

}  // namespace

void append_status_line(std::string& out, int status, std::string_view reason) {
    const auto digit = [](int value) { return static_cast<char>('0' + value % 10); };
    out += "HTTP/1.1 ";
    for (const char c : {digit(status / 100), digit(status / 10), digit(status), ' '}) out += c;
    out += reason.empty() ? reason_phrase(status) : reason;
    out += crlf;
}

void append_request_line(std::string& out, std::string_view method, std::string_view target) {
    out += method;
    out += ' ';
    out += target;
    out += " HTTP/1.1\r\n";
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += crlf;
}

void append_field(std::string& out, FieldId id, std::string_view value) {
    append_field(out, canonical_name(id), value);
}

std::string_view chunk_head(std::array<char, 20>& out, std::uint64_t size) noexcept {
    char* const end = std::to_chars(out.data(), out.data() + out.size(), size, 16).ptr;
    std::memcpy(end, crlf.data(), crlf.size());
    return {out.data(), static_cast<std::size_t>(end - out.data()) + crlf.size()};
}

bool is_field_value(std::string_view text) noexcept {
    const char* const end = text.data() + text.size();
    return grammar::skip_field_value(text.data(), end) == end;
}

void remove_hop_by_hop(Fields& fields) {
    const auto named = joined(fields, FieldId::connection);
    fields.remove_if(is_for_the_next_hop);
    if (!named) return;
    for_each_element(*named, [&](std::string_view name) {
        // Who names Cache-Control there (RFC 9110 §7.6.1 forbids it) must not be able to take it away.
        if (field_id(name) == FieldId::unknown) fields.remove(name);
    });
}

void FieldTail::field(std::string_view name_and_colon, std::string_view value) noexcept {
    begin(name_and_colon);
    text(value);
    end();
}

void FieldTail::begin(std::string_view name_and_colon) noexcept {
    start_ = size_;
    broken_ = false;
    text(name_and_colon);
}

void FieldTail::text(std::string_view part) noexcept {
    broken_ = broken_ || part.size() > bytes_.size() - size_;
    if (broken_ || part.empty()) return;
    std::memcpy(bytes_.data() + size_, part.data(), part.size());
    size_ += part.size();
}

void FieldTail::number(std::int64_t value) noexcept {
    std::array<char, 20> digits;  // of the least: a sign and 19 digits
    const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    text({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void FieldTail::end() noexcept {
    text(crlf);
    if (!broken_) return;
    size_ = start_;
    overflowed_ = true;
}

}  // namespace etage::http
