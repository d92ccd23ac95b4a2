#include "gateway/lint_reach.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace etage::gateway {

namespace {

using policy::Segment;

constexpr std::size_t states_max = 4096;

/// What a path may have between two slashes: a text that some pattern names, the empty text, or (nothing) any other.
using Letter = std::optional<std::string_view>;

bool fits(const Segment& segment, const Letter& letter) noexcept {
    switch (segment.kind) {
        case Segment::Kind::literal: return letter == segment.text;
        case Segment::Kind::one:
        case Segment::Kind::named: return !letter || !letter->empty();
        case Segment::Kind::any: return true;
    }
    return false;
}

/// Where one may stand in a pattern after a letter, standing at `at` before it.
std::vector<std::size_t> step(const PathPattern& pattern, std::size_t at, const Letter& letter) {
    std::vector<std::size_t> out;
    for (; at < pattern.size(); ++at) {
        const bool any = pattern[at].kind == Segment::Kind::any;
        if (fits(pattern[at], letter)) out.push_back(any ? at : at + 1);
        if (!any) break;
    }
    return out;
}

bool accepts(const PathPattern& pattern, std::size_t at) {
    return std::ranges::all_of(std::span(pattern).subspan(at),
                               [](const Segment& segment) { return segment.kind == Segment::Kind::any; });
}

void collect_letters(const PathPattern& pattern, std::set<Letter>& out) {
    for (const Segment& segment : pattern)
        if (segment.kind == Segment::Kind::literal) out.insert(segment.text);
}

/// Positions in several patterns at once: pattern, position.
using Positions = std::set<std::pair<std::size_t, std::size_t>>;

/// Walks all words of `pattern` and, along with each, all of `others`. Calls each(at, rest) for every state after at
/// least one letter, until it returns true.
template <class Each>
bool walk(const PathPattern& pattern, std::span<const PathPattern* const> others, Each&& each) {
    std::set<Letter> letters = {std::nullopt, std::string_view()};
    collect_letters(pattern, letters);
    for (const PathPattern* other : others) collect_letters(*other, letters);

    Positions begin;
    for (std::size_t i = 0; i < others.size(); ++i) begin.emplace(i, 0);
    std::set<std::pair<std::size_t, Positions>> known = {{0, begin}};
    std::vector<std::pair<std::size_t, Positions>> open = {{0, begin}};
    while (!open.empty()) {
        const auto [at, rest] = std::move(open.back());
        open.pop_back();
        for (const Letter& letter : letters) {
            Positions next_rest;
            for (const auto& [which, where] : rest)
                for (const std::size_t next : step(*others[which], where, letter)) next_rest.emplace(which, next);
            for (const std::size_t next : step(pattern, at, letter)) {
                if (each(next, next_rest)) return true;
                if (known.size() > states_max) return true;
                if (known.emplace(next, next_rest).second) open.emplace_back(next, next_rest);
            }
        }
    }
    return false;
}

}  // namespace

bool covered(const PathPattern& pattern, std::span<const PathPattern* const> others) {
    return !walk(pattern, others, [&](std::size_t at, const Positions& rest) {
        return accepts(pattern, at) &&
               std::ranges::none_of(rest, [&](const auto& p) { return accepts(*others[p.first], p.second); });
    });
}

bool overlap(const PathPattern& a, const PathPattern& b) {
    const PathPattern* const others[] = {&b};
    return walk(a, others, [&](std::size_t at, const Positions& rest) {
        return accepts(a, at) && std::ranges::any_of(rest, [&](const auto& p) { return accepts(b, p.second); });
    });
}

bool at_or_below(const PathPattern& a, const PathPattern& b) {
    PathPattern deeper = a;
    deeper.push_back({Segment::Kind::any, {}});
    return overlap(deeper, b);
}

}  // namespace etage::gateway
