#pragma once
// Questions about patterns instead of paths. Answered by following both patterns segment by segment, over the literals
// they name, the empty segment, and one that stands for all others. Pure.

#include "policy/pattern.hpp"

#include <span>
#include <vector>

namespace etage::gateway {

using PathPattern = std::vector<policy::Segment>;

/// True when every path that `pattern` matches is matched by one of `others`. Of patterns so tangled that it would take
/// long to tell: false.
bool covered(const PathPattern& pattern, std::span<const PathPattern* const> others);

/// True when some path is matched by both; also when it would take long to tell.
bool overlap(const PathPattern& a, const PathPattern& b);

/// True when some path is matched by `b`, and lies at or below one that `a` matches.
bool at_or_below(const PathPattern& a, const PathPattern& b);

}  // namespace etage::gateway
