#pragma once
// Patterns of routes: "GET /posts/{id}", "POST|PUT /posts/**", "/static/**". Parsed once, matched without allocation.

#include "http/message.hpp"

#include <etage/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace etage::policy {

/// A set of methods; empty = any.
class MethodSet {
public:
    void add(http::Method m) noexcept { bits_ = static_cast<std::uint16_t>(bits_ | (1U << static_cast<unsigned>(m))); }
    bool empty() const noexcept { return bits_ == 0; }
    /// HEAD is matched where GET is: a GET route answers it.
    bool matches(http::Method m) const noexcept {
        return empty() || has(m) || (m == http::Method::head && has(http::Method::get));
    }
    bool has(http::Method m) const noexcept { return (bits_ & (1U << static_cast<unsigned>(m))) != 0; }

private:
    std::uint16_t bits_ = 0;
};

struct Segment {
    enum class Kind : std::uint8_t { literal, one, named, any };  // posts  *  {id}  **
    Kind kind = Kind::literal;
    std::string text;  // the literal, percent-normalised, or the name
};

/// The longest list of named segments a pattern may have.
inline constexpr std::size_t captures_max = 8;
using Captures = std::array<std::string_view, captures_max>;

struct Pattern {
    MethodSet methods;
    std::vector<Segment> segments;
    std::vector<std::string> capture_names;  // in order of appearance
};

/// `*` and `{name}` stand for one segment that is not empty, `**` for any number of segments, also none, anywhere.
/// A trailing slash counts: "/posts/" is not "/posts". The text of an error says what to write instead.
Result<Pattern> parse_pattern(std::string_view text);

/// Nothing that http::append_normalised_path() would change or refuse: no escape, no dot segment, also none between
/// backslashes. Most paths are such.
inline bool is_normal_path(std::string_view path) noexcept {
    constexpr auto none = std::string_view::npos;
    return path.find('%') == none && path.find('\\') == none && (path.find('.') == none || path.find("/.") == none);
}

/// A request's path, cut into segments for matching. Segments are compared after percent-normalisation and with dot
/// segments resolved (RFC 3986 §6.2.2), but captured as they were received. Borrows from the path. Does not allocate
/// unless the path holds an escape or a dot segment, or more segments than have room here.
class PathSegments {
public:
    explicit PathSegments(std::string_view path);
    PathSegments(const PathSegments&) = delete;
    PathSegments& operator=(const PathSegments&) = delete;

    /// False: the path does not begin with '/' or cannot be normalised, and matches nothing.
    bool valid() const noexcept { return !compared_.empty(); }

    /// On true, `captures` holds what the named segments stand for, in the order of the pattern.
    bool match(const std::vector<Segment>& pattern, Captures& captures) const noexcept;

    /// A segment. Trivial, so that room for many costs nothing until it is used.
    struct Cut {
        const char* data;
        std::size_t size;
        operator std::string_view() const noexcept { return {data, size}; }
    };

private:
    void cut_here(std::string_view path);
    void normalise(std::string_view path);

    std::array<Cut, 32> room_;  // the first compared_.size() are set, when the path is normal and short
    std::string normalised_;
    std::vector<Cut> normalised_cuts_;
    std::vector<Cut> received_cuts_;
    std::span<const Cut> compared_;
    std::span<const Cut> received_;
};

}  // namespace etage::policy
