#include "http/byte_spans.hpp"

#include <algorithm>

namespace etage::http {

bool ByteSpans::add(ByteRange range) {
    // [begin, end): the pieces it overlaps or adjoins.
    const auto begin =
        std::ranges::partition_point(pieces_, [&](const ByteRange& piece) { return piece.last + 1 < range.first; });
    const auto end = std::partition_point(begin, pieces_.end(),
                                          [&](const ByteRange& piece) { return piece.first <= range.last + 1; });
    if (begin == end) {
        if (pieces_.size() == pieces_max) return false;
        pieces_.insert(begin, range);
        return true;
    }
    *begin = {std::min(begin->first, range.first), std::max(std::prev(end)->last, range.last)};
    pieces_.erase(std::next(begin), end);
    return true;
}

const ByteRange* ByteSpans::piece_at(std::uint64_t byte) const noexcept {
    const auto piece = std::ranges::lower_bound(pieces_, byte, {}, &ByteRange::last);
    return piece != pieces_.end() && piece->first <= byte ? &*piece : nullptr;
}

bool ByteSpans::covers(ByteRange range) const noexcept { return !missing_in(range); }

bool ByteSpans::complete(std::uint64_t complete_length) const noexcept {
    return complete_length == 0 || covers({0, complete_length - 1});
}

std::optional<RangeSpec> ByteSpans::missing(std::optional<std::uint64_t> complete_length) const noexcept {
    if (!complete_length) {
        const ByteRange* start = piece_at(0);
        return RangeSpec{start != nullptr ? start->last + 1 : 0, RangeSpec::to_the_end, false};
    }
    if (*complete_length == 0) return std::nullopt;
    const auto hole = missing_in({0, *complete_length - 1});
    if (!hole) return std::nullopt;
    const bool reaches_end = hole->last + 1 == *complete_length;
    return RangeSpec{hole->first, reaches_end ? RangeSpec::to_the_end : hole->last, false};
}

std::optional<ByteRange> ByteSpans::missing_in(ByteRange wanted) const noexcept {
    if (const ByteRange* piece = piece_at(wanted.first)) {
        if (piece->last >= wanted.last) return std::nullopt;
        wanted.first = piece->last + 1;
    }
    // Pieces are not adjacent: what lies before this one is missing.
    if (const ByteRange* piece = piece_at(wanted.last)) wanted.last = piece->first - 1;
    return wanted;
}

std::uint64_t ByteSpans::bytes() const noexcept {
    std::uint64_t sum = 0;
    for (const ByteRange& piece : pieces_) sum += piece.size();
    return sum;
}

}  // namespace etage::http
