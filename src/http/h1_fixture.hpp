#pragma once
// For the tests of heads: every head is judged whole, byte by byte, and with another message behind it. Each time the
// bytes lie in memory of exactly their size, so that a sanitizer sees a read beyond them.

#include "http/h1_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace etage::http {

inline void describe(std::string& out, const RequestHead& h) {
    for (const auto part : {h.method_text, h.target, h.scheme, h.authority, h.path, h.query}) (out += part) += '|';
    for (const bool flag : {h.has_query, h.keep_alive, h.expects_continue, h.wants_upgrade}) out += flag ? '1' : '0';
}

inline void describe(std::string& out, const ResponseHead& h) {
    ((out += std::to_string(h.status)) += h.reason) += h.keep_alive ? '1' : '0';
}

/// A head with all it borrows from.
template <class Head>
struct Parsed {
    std::unique_ptr<char[]> bytes;
    FieldSlots slots;
    Head head;
    ParseOutcome outcome;

    bool complete() const { return outcome.state == ParseState::complete; }
    bool failed(Fault fault) const { return outcome.state == ParseState::failed && outcome.fault == fault; }

    /// All of it as text, to compare.
    std::string text() const {
        if (outcome.state == ParseState::incomplete) return "incomplete";
        if (outcome.state == ParseState::failed)
            return "failed " + std::to_string(static_cast<int>(outcome.fault)) + std::string(outcome.why);
        std::string out;
        describe(out, head);
        for (const auto number : {std::uint64_t{head.minor}, static_cast<std::uint64_t>(head.body), head.content_length,
                                  std::uint64_t{head.head_bytes}})
            (out += ' ') += std::to_string(number);
        for (const Field& field : head.fields) ((out += field.name) += '=') += field.value;
        return out;
    }
};

using ParsedRequest = std::unique_ptr<Parsed<RequestHead>>;
using ParsedResponse = std::unique_ptr<Parsed<ResponseHead>>;

/// How a parser is asked for one kind of head.
struct RequestParsing {
    using Head = RequestHead;
    static constexpr std::string_view next = "POST /next HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\n\r\nx";

    ParseOutcome operator()(HeadParser& parser, std::string_view bytes, FieldSlots& slots, Head& head) const {
        return parser.parse_request(bytes, slots, head);
    }
};

struct ResponseParsing {
    using Head = ResponseHead;
    static constexpr std::string_view next = "HTTP/1.1 500 Next\r\nContent-Length: 1\r\n\r\nx";
    Method method = Method::get;

    ParseOutcome operator()(HeadParser& parser, std::string_view bytes, FieldSlots& slots, Head& head) const {
        return parser.parse_response(bytes, method, slots, head);
    }
};

template <class Parsing>
auto parse_once(HeadParser& parser, std::string_view bytes, const Parsing& parsing) {
    auto parsed = std::make_unique<Parsed<typename Parsing::Head>>();
    parsed->bytes = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), parsed->bytes.get());
    parsed->outcome = parsing(parser, {parsed->bytes.get(), bytes.size()}, parsed->slots, parsed->head);
    return parsed;
}

template <class Parsing>
auto parse_every_way(std::string_view bytes, const HeadLimits& limits, const Parsing& parsing) {
    HeadParser parser(limits);
    auto whole = parse_once(parser, bytes, parsing);
    const std::string text = whole->text();

    parser.reset();
    auto grown = parse_once(parser, {}, parsing);
    for (std::size_t size = 1; size <= bytes.size() && grown->outcome.state == ParseState::incomplete; ++size)
        grown = parse_once(parser, bytes.substr(0, size), parsing);
    EXPECT_EQ(grown->text(), text) << "byte by byte: " << bytes;

    if (whole->outcome.state != ParseState::incomplete) {
        parser.reset();
        const auto followed = parse_once(parser, std::string(bytes) += Parsing::next, parsing);
        EXPECT_EQ(followed->text(), text) << "with another message behind: " << bytes;
    }
    return whole;
}

inline ParsedRequest request(std::string_view bytes, const HeadLimits& limits = {}) {
    return parse_every_way(bytes, limits, RequestParsing{});
}

/// A request with these fields besides Host.
inline ParsedRequest request_with(std::string_view fields, std::string_view start = "POST /p HTTP/1.1") {
    return request((std::string(start) += "\r\nHost: a.test\r\n").append(fields) += "\r\n");
}

inline ParsedResponse response(std::string_view bytes, Method method = Method::get, const HeadLimits& limits = {}) {
    return parse_every_way(bytes, limits, ResponseParsing{method});
}

}  // namespace etage::http
