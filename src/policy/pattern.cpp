#include "policy/pattern.hpp"

#include "base/nearest.hpp"
#include "http/uri.hpp"

#include <algorithm>
#include <optional>

namespace etage::policy {

namespace {

constexpr std::string_view methods_known[] = {"GET",     "HEAD",  "POST",    "PUT",   "PATCH", "DELETE",
                                              "OPTIONS", "TRACE", "CONNECT", "QUERY", "PURGE"};

std::unexpected<Error> wrong(std::string what) { return failure(Blame::client, Fault::bad_request, std::move(what)); }

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

Result<MethodSet> parse_methods(std::string_view text) {
    MethodSet set;
    for (bool last = false; !last;) {
        const auto bar = text.find('|');
        last = bar == std::string_view::npos;
        const auto token = text.substr(0, bar);
        const auto method = http::method_of(token);
        if (token.empty()) return wrong("a method is missing; write methods as in GET|POST /path");
        if (method == http::Method::other) {
            std::string what = quoted(token) + " is no method Etage knows";
            if (const auto near = base::nearest(token, methods_known); !near.empty())
                return wrong(what + "; did you mean " + std::string(near) + "?");
            return wrong(what + "; leave the method out to match any");
        }
        set.add(method);
        if (!last) text.remove_prefix(bar + 1);
    }
    return set;
}

/// A literal is compared with normalised paths, so it is brought into that form: "/caf%c3%a9" and "/café" mean the
/// same.
std::optional<std::string> normalised_literal(std::string_view text) {
    static constexpr char hex[] = "0123456789ABCDEF";
    std::string escaped = "/";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte < 0x7F) {
            escaped += c;
        } else {
            escaped += {'%', hex[byte >> 4U], hex[byte & 0xFU]};
        }
    }
    std::string out;
    if (!http::append_normalised_path(out, escaped) || out.find('/', 1) != std::string::npos) return std::nullopt;
    if (out == "/" && !text.empty()) return std::nullopt;  // a dot segment
    return out.substr(1);
}

Result<Segment> parse_segment(std::string_view text) {
    if (text == "**") return Segment{Segment::Kind::any, {}};
    if (text == "*") return Segment{Segment::Kind::one, {}};
    if (text.size() > 2 && text.front() == '{' && text.back() == '}' &&
        text.find_first_of("{}*.", 1) == text.size() - 1)
        return Segment{Segment::Kind::named, std::string(text.substr(1, text.size() - 2))};
    if (text.find_first_of("{}*") != std::string_view::npos)
        return wrong("segment " + quoted(text) + " mixes text and wildcards; a segment is text, *, ** or {name}");
    if (text.find_first_of("?#") != std::string_view::npos)
        return wrong("segment " + quoted(text) + " holds a ? or #; a pattern has no query, see key.query");
    auto literal = normalised_literal(text);
    if (!literal)
        return wrong("segment " + quoted(text) + " is a dot segment or holds a bad %-escape; it would never match");
    return Segment{Segment::Kind::literal, std::move(*literal)};
}

Result<Pattern> parse_path(std::string_view path, Pattern pattern) {
    path.remove_prefix(1);
    for (bool last = false; !last;) {
        const auto slash = path.find('/');
        last = slash == std::string_view::npos;
        auto segment = parse_segment(path.substr(0, slash));
        if (!segment) return std::unexpected(std::move(segment.error()));
        if (segment->kind == Segment::Kind::named) {
            if (std::ranges::find(pattern.capture_names, segment->text) != pattern.capture_names.end())
                return wrong("{" + segment->text + "} appears twice; give each segment a name of its own");
            if (pattern.capture_names.size() == captures_max)
                return wrong("more than " + std::to_string(captures_max) +
                             " named segments; write * for those not needed");
            pattern.capture_names.push_back(segment->text);
        }
        pattern.segments.push_back(std::move(*segment));
        if (!last) path.remove_prefix(slash + 1);
    }
    return pattern;
}

// ---- matching

using Cut = PathSegments::Cut;

bool fits(const Segment& pattern, std::string_view segment) noexcept {
    return pattern.kind == Segment::Kind::literal ? segment == pattern.text : !segment.empty();
}

/// The classic way with wildcards: on a mismatch only the last `**` need take one segment more, because the earliest
/// place where what stands before it fits is as good as any later one. So the work is bounded by segments × pattern.
bool match_segments(const std::vector<Segment>& pattern, std::span<const Cut> path, std::span<const Cut> received,
                    Captures& captures) noexcept {
    constexpr auto none = static_cast<std::size_t>(-1);
    std::size_t at = 0, p = 0, capture = 0;
    std::size_t retry_p = none, retry_at = 0, retry_capture = 0;
    for (;;) {
        if (p < pattern.size() && pattern[p].kind == Segment::Kind::any) {
            retry_p = ++p;
            retry_at = at;
            retry_capture = capture;
            continue;
        }
        if (at == path.size() && p == pattern.size()) return true;
        if (at < path.size() && p < pattern.size() && fits(pattern[p], path[at])) {
            if (pattern[p].kind == Segment::Kind::named) captures[capture++] = received[at];
            ++at;
            ++p;
            continue;
        }
        if (retry_p == none || retry_at == path.size()) return false;
        at = ++retry_at;
        p = retry_p;
        capture = retry_capture;
    }
}

/// "." is 1, ".." is 2, anything else 0; the dots may be escaped.
int dots(std::string_view segment) noexcept {
    int count = 0;
    while (!segment.empty()) {
        const bool escaped = segment.starts_with("%2e") || segment.starts_with("%2E");
        if (!escaped && segment.front() != '.') return 0;
        segment.remove_prefix(escaped ? 3 : 1);
        if (++count > 2) return 0;
    }
    return count;
}

/// Calls each(segment, last) for every segment. Precondition: the path begins with '/'.
template <class F>
void for_each_segment(std::string_view path, F&& each) {
    for (bool last = false; !last;) {
        path.remove_prefix(1);
        const auto slash = path.find('/');
        last = slash == std::string_view::npos;
        each(Cut{path.data(), last ? path.size() : slash}, last);
        if (!last) path.remove_prefix(slash);
    }
}

/// The segments of a path as received, less those that dot segments take away (RFC 3986 §5.2.4).
std::vector<Cut> received_segments(std::string_view path) {
    std::vector<Cut> out;
    for_each_segment(path, [&](Cut segment, bool last) {
        const int dotted = dots(segment);
        if (dotted == 2 && !out.empty()) out.pop_back();
        if (dotted == 0)
            out.push_back(segment);
        else if (last)
            out.push_back({segment.data, 0});
    });
    return out;
}

}  // namespace

Result<Pattern> parse_pattern(std::string_view text) {
    Pattern pattern;
    const auto space = text.find(' ');
    auto path = text;
    if (space != std::string_view::npos) {
        auto methods = parse_methods(text.substr(0, space));
        if (!methods) return std::unexpected(std::move(methods.error()));
        pattern.methods = *methods;
        path.remove_prefix(std::min(text.find_first_not_of(' ', space), text.size()));
    }
    if (path.empty() || path.front() != '/')
        return wrong("the path must begin with /, as in " + quoted("GET /" + std::string(path)));
    return parse_path(path, std::move(pattern));
}

PathSegments::PathSegments(std::string_view path) {
    if (!path.starts_with('/')) return;
    if (is_normal_path(path))
        cut_here(path);
    else
        normalise(path);
}

void PathSegments::cut_here(std::string_view path) {
    std::size_t count = 0;
    for_each_segment(path, [&](Cut segment, bool) {
        if (count < room_.size()) room_[count] = segment;
        ++count;
    });
    compared_ = std::span(room_).first(std::min(count, room_.size()));
    if (count > room_.size()) {
        for_each_segment(path, [&](Cut segment, bool) { normalised_cuts_.push_back(segment); });
        compared_ = normalised_cuts_;
    }
    received_ = compared_;
}

void PathSegments::normalise(std::string_view path) {
    if (!http::append_normalised_path(normalised_, path)) return;
    for_each_segment(normalised_, [&](Cut segment, bool) { normalised_cuts_.push_back(segment); });
    received_cuts_ = received_segments(path);
    if (normalised_cuts_.size() != received_cuts_.size()) return;
    compared_ = normalised_cuts_;
    received_ = received_cuts_;
}

bool PathSegments::match(const std::vector<Segment>& pattern, Captures& captures) const noexcept {
    return valid() && match_segments(pattern, compared_, received_, captures);
}

}  // namespace etage::policy
