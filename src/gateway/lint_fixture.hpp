#pragma once
// Answers of servers for tests, written as people see them.

#include "gateway/lint_answer.hpp"
#include "http/date.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

namespace etage::gateway {

inline constexpr std::string_view lint_date = "Wed, 25 Nov 2026 06:00:00 GMT";

inline WallTime lint_now() { return *http::parse_date(lint_date, WallTime{}); }

using Lines = std::initializer_list<std::string_view>;

/// "Name: value" lines, received at lint_now().
inline Observed observed(Lines lines, std::string content = "hello", int status = 200) {
    Observed out;
    out.status = status;
    out.framing = http::BodyKind::length;
    out.content = std::move(content);
    out.received = lint_now();
    for (const std::string_view line : lines) {
        const auto colon = line.find(": ");
        out.fields.add(line.substr(0, colon), line.substr(colon + 2));
    }
    return out;
}

/// One with which nothing is wrong, and `more`.
inline Observed sound(Lines more = {}, std::string content = "hello") {
    Observed out = observed({"Date: Wed, 25 Nov 2026 06:00:00 GMT", "Content-Type: text/plain"}, std::move(content));
    const Observed extra = observed(more);
    for (const http::Field& field : extra.fields.span()) out.fields.add(field.name, field.value);
    if (!http::contains(out.fields, http::FieldId::cache_control)) out.fields.add("Cache-Control", "max-age=60");
    if (!http::contains(out.fields, http::FieldId::etag)) out.fields.add("ETag", "\"v1\"");
    return out;
}

inline Observations only(Observed first) {
    Observations out;
    out.first = std::move(first);
    return out;
}

inline std::set<std::string_view> ids(const Findings& findings) {
    std::set<std::string_view> out;
    for (const Finding& finding : findings.list()) out.insert(finding.rule->id);
    return out;
}

/// Of the first answer alone.
inline std::set<std::string_view> found(Observed first) {
    return ids(lint_answers(only(std::move(first)), "http://a.test/"));
}
inline std::set<std::string_view> found(const Observations& seen) { return ids(lint_answers(seen, "http://a.test/")); }

/// What a finding of the rule says of the case; empty when there is none.
inline std::string what(const Findings& findings, std::string_view id) {
    for (const Finding& finding : findings.list())
        if (finding.rule->id == id) return finding.what;
    return {};
}

}  // namespace etage::gateway
