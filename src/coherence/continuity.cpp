#include "coherence/continuity.hpp"

#include <algorithm>
#include <charconv>

namespace etage::coherence {

namespace {

using Step = Continuity::Step;

/// Above everything that this instance or that server knows of, and, as far as a clock can tell, above every history
/// that was begun before: of two the later one is above.
StreamId above_all(const KnownLog& known, const SeenLog& seen) {
    std::uint64_t newest = std::max(known.read.ms, known.own.ms);
    if (seen.is_stream && seen.last.ms <= largest_ms) newest = std::max(newest, seen.last.ms);
    const std::uint64_t ms = seen.clock_ms + history_leap_ms;
    return {ms > newest ? ms : newest + history_leap_ms, 0};
}

/// Why this history cannot be gone on with; empty: it can.
std::string_view end_of_history(const KnownLog& known, const SeenLog& seen) {
    const auto generation = Generation::parse(seen.generation);
    if (!generation) return "it has no generation";
    if (generation->identity != seen.identity) return "another server, or a restarted one, has it";
    if (seen.length == 0) return "it is empty";
    const StreamId newest = std::max(known.read, known.own);
    if (seen.last < newest) return "it ends before what is known of it";
    const bool is_another = !known.generation.empty() && seen.generation != known.generation;
    if (is_another && seen.last == newest) return "its new history begins where the old one ended";
    return {};
}

}  // namespace

std::string Generation::text(std::string_view random, std::string_view identity, std::uint64_t made_at_ms) {
    std::string out(random);
    ((out += ' ') += identity) += ' ';
    return out += std::to_string(made_at_ms);
}

std::optional<Generation> Generation::parse(std::string_view text) {
    const auto one = text.find(' ');
    const auto two = text.rfind(' ');
    if (one == std::string_view::npos || one == two) return std::nullopt;
    Generation out{std::string(text.substr(one + 1, two - one - 1)), 0};
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data() + two + 1, end, out.made_at_ms);
    if (error != std::errc() || stopped != end) return std::nullopt;
    return out;
}

Continuity continue_log(const KnownLog& known, const SeenLog& seen) {
    if (!seen.is_stream) return {Step::rebuild, above_all(known, seen), "its key holds something else"};
    if (seen.last.ms > largest_ms) return {Step::rebuild, above_all(known, seen), "an id of it is out of all bounds"};
    if (const auto why = end_of_history(known, seen); !why.empty()) return {Step::renew, above_all(known, seen), why};
    // Who takes the end as floor must find it there next time, and at a position of its own.
    if (!has_position(seen.last) || seen.newest != seen.last) return {Step::step, {seen.last.ms + 1, 0}, {}};

    // Records that share the position of the first may have been trimmed: no floor can tell before from behind.
    const bool may_begin_at_first = has_position(seen.first);
    if (known.generation.empty())
        return may_begin_at_first ? Continuity{Step::cold, seen.first, {}}
                                  : Continuity{Step::gap, seen.last, "its oldest record has no position"};
    if (seen.generation != known.generation) return {Step::gap, seen.last, "a new history has begun"};
    if (seen.has_read) return {Step::replay, known.read, {}};
    return {Step::gap, seen.last, "what was read last is no longer there"};
}

bool is_next_batch(const KnownLog& known, std::string_view generation, bool has_read) noexcept {
    return generation == known.generation && has_read;
}

}  // namespace etage::coherence
