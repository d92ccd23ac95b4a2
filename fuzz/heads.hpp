#pragma once
// What must hold for any bytes as a message head: judged whole, byte by byte and with more behind it all the same; all
// views inside the input.

#include "http/h1_parser.hpp"

#include "fuzz.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

namespace etage::fuzz {

/// Small enough for the fuzzer to reach, and the usual ones.
inline constexpr http::HeadLimits limits_to_try[] = {
    {.request_line_bytes_max = 60, .head_bytes_max = 200, .fields_max = 6},
    {},
};

template <class Head>
struct Judged {
    http::ParseOutcome outcome;
    Head head;
    http::FieldSlots slots;
};

/// `parse(parser, bytes, slots, head)`. The bytes come in pieces of `piece`.
template <class Head, class Parse>
std::unique_ptr<Judged<Head>> judge(std::string_view bytes, const http::HeadLimits& limits, std::size_t piece,
                                    Parse parse) {
    auto judged = std::make_unique<Judged<Head>>();
    http::HeadParser parser(limits);
    for (std::size_t there = std::min(piece, bytes.size());; there = std::min(there + piece, bytes.size())) {
        judged->outcome = parse(parser, bytes.substr(0, there), judged->slots, judged->head);
        if (judged->outcome.state != http::ParseState::incomplete || there == bytes.size()) return judged;
    }
}

inline void require_inside(std::string_view view, std::string_view input) noexcept {
    require(view.empty() || (view.data() >= input.data() && view.data() + view.size() <= input.data() + input.size()));
}

inline bool same_fields(http::FieldSpan a, http::FieldSpan b) noexcept {
    return std::ranges::equal(a, b, [](const http::Field& x, const http::Field& y) {
        return x.name == y.name && x.value == y.value && x.id == y.id;
    });
}

template <class Head>
bool same_judgement(const Judged<Head>& a, const Judged<Head>& b) noexcept {
    if (a.outcome.state != b.outcome.state) return false;
    if (a.outcome.state == http::ParseState::failed)
        return a.outcome.fault == b.outcome.fault && a.outcome.why == b.outcome.why && !a.outcome.why.empty();
    return a.outcome.state == http::ParseState::incomplete ||
           (a.head.head_bytes == b.head.head_bytes && a.head.minor == b.head.minor && a.head.body == b.head.body &&
            a.head.content_length == b.head.content_length && a.head.keep_alive == b.head.keep_alive &&
            same_fields(a.head.fields, b.head.fields));
}

/// Null unless the bytes begin with a whole, valid head.
template <class Head, class Parse>
std::unique_ptr<Judged<Head>> require_one_judgement(std::string_view bytes, const http::HeadLimits& limits,
                                                    Parse parse) {
    auto whole = judge<Head>(bytes, limits, std::max<std::size_t>(bytes.size(), 1), parse);
    for (const std::size_t piece : {1u, 3u}) require(same_judgement(*whole, *judge<Head>(bytes, limits, piece, parse)));
    if (whole->outcome.state != http::ParseState::complete) return nullptr;

    const auto input = bytes.substr(0, whole->head.head_bytes);
    require(input.ends_with("\r\n\r\n") && whole->head.fields.size() <= limits.fields_max);
    require(same_judgement(*whole, *judge<Head>(input, limits, bytes.size(), parse)));
    for (const http::Field& field : whole->head.fields) {
        require_inside(field.name, input);
        require_inside(field.value, input);
        require(field.id == http::field_id(field.name));
    }
    return whole;
}

}  // namespace etage::fuzz
