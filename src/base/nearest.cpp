#include "base/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace etage::base {

namespace {

constexpr std::size_t name_bytes_max = 64;  // longer ones are no typing errors, and the work is quadratic

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Optimal string alignment, by three rolling rows.
std::size_t edits_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = above[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return above[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view wrong, std::span<const std::string_view> candidates) {
    if (wrong.empty() || wrong.size() > name_bytes_max) return {};
    std::size_t fewest = std::max<std::size_t>(2, wrong.size() / 3) + 1;
    std::string_view best;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > name_bytes_max) continue;
        const std::size_t edits = edits_between(wrong, candidate);
        // What shares no character with the word is not near it, however short both are.
        if (edits < fewest && edits < std::max(wrong.size(), candidate.size())) {
            fewest = edits;
            best = candidate;
        }
    }
    return best;
}

}  // namespace etage::base
