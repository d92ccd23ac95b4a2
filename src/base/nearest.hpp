#pragma once
// "Did you mean …?": the name somebody meant who wrote another one.

#include <span>
#include <string_view>

namespace etage::base {

/// The candidate with the fewest edits (insertion, deletion, replacement, swap of neighbours; case is free) from
/// `wrong`; the first of several. Empty when none is near: more than one edit for every three characters, at least two.
/// The result borrows from `candidates`.
std::string_view nearest(std::string_view wrong, std::span<const std::string_view> candidates);

}  // namespace etage::base
