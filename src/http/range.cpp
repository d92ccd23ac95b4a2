#include "http/range.hpp"

#include "http/date.hpp"
#include "http/etag.hpp"
#include "http/grammar.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace etage::http {
namespace {

using Kind = ContentRange::Kind;
using Number = std::uint64_t;

constexpr std::string_view unit = "bytes";
constexpr Number infinite = RangeSpec::to_the_end;

/// RFC 9110 §8.8.2.2: a Last-Modified this much older than the Date next to it, both by one server's clock, cannot have
/// been of two versions.
constexpr std::chrono::seconds strong_after{1};

/// 1*DIGIT, the whole text. What does not fit is `infinite`.
std::optional<Number> parse_number(std::string_view text) noexcept {
    if (text.empty() || !grammar::all(text, grammar::digit)) return std::nullopt;
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} ? number : infinite;
}

/// RFC 9110 §14.1.1: int-range or suffix-range.
std::optional<RangeSpec> parse_spec(std::string_view text) noexcept {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const std::string_view before = text.substr(0, dash);
    const std::string_view behind = text.substr(dash + 1);
    const auto last = behind.empty() ? std::optional(infinite) : parse_number(behind);
    if (before.empty()) {
        if (behind.empty() || !last) return std::nullopt;
        return RangeSpec{*last, infinite, true};
    }
    const auto first = parse_number(before);
    if (!first || !last || *last < *first) return std::nullopt;
    return RangeSpec{*first, *last, false};
}

/// What is there of it; `complete` is not 0.
std::optional<ByteRange> satisfied(const RangeSpec& spec, Number complete) noexcept {
    if (spec.suffix) {
        if (spec.first == 0) return std::nullopt;
        return ByteRange{complete - std::min(spec.first, complete), complete - 1};
    }
    if (spec.first >= complete) return std::nullopt;
    return ByteRange{spec.first, std::min(spec.last, complete - 1)};
}

bool overlap(const ByteRange& a, const ByteRange& b) noexcept { return a.first <= b.last && b.first <= a.last; }

bool touch(const ByteRange& a, const ByteRange& b) noexcept { return a.first <= b.last + 1 && b.first <= a.last + 1; }

/// Appends text and numbers to a buffer that is known to suffice.
class Pen {
public:
    explicit Pen(RangeText& out) noexcept : begin_(out.data()), at_(begin_), end_(begin_ + out.size()) {}

    Pen& operator<<(std::string_view text) noexcept {
        at_ = std::ranges::copy(text, at_).out;
        return *this;
    }
    Pen& operator<<(Number number) noexcept {
        at_ = std::to_chars(at_, end_, number).ptr;
        return *this;
    }
    std::string_view written() const noexcept { return {begin_, at_}; }

private:
    char* begin_;
    char* at_;
    char* end_;
};

/// RFC 9110 §8.8.2.2, for a validator kept with the Date it came with.
bool is_strong(WallTime modified, std::string_view date, WallTime now) noexcept {
    const auto when = parse_date(date, now);
    return when && *when - modified >= strong_after;
}

}  // namespace

bool RangeSet::add(std::string_view text) noexcept {
    const auto spec = parse_spec(text);
    if (!spec) return false;
    kind_ = size_ == ranges_max || kind_ == Kind::too_many ? Kind::too_many : Kind::ranges;
    if (kind_ == Kind::ranges) specs_[size_++] = *spec;
    return true;
}

RangeSet parse_range(std::string_view value) noexcept {
    RangeSet out;
    // Names of range units have no case (RFC 9110 §14.1).
    const auto equals = std::min(value.find('='), value.size());
    if (!iequals(value.substr(0, equals), unit)) return {};
    value.remove_prefix(std::min(equals + 1, value.size()));
    if (!for_each_element(value, [&](std::string_view spec) { return out.add(spec); })) return {};
    if (out.kind_ == RangeSet::Kind::too_many) out.size_ = 0;
    return out;
}

RangeSet parse_range(FieldSpan request) noexcept {
    const auto is_range = [](const Field& field) { return field.id == FieldId::range; };
    if (std::ranges::count_if(request, is_range) != 1) return {};  // it is no list field (§5.3)
    return parse_range(std::ranges::find_if(request, is_range)->value);
}

bool ResolvedRanges::is_flood(Number complete_length) const noexcept {
    Number left = complete_length;
    std::size_t overlapping = 0;
    for (const ByteRange& range : ranges()) {
        if (range.size() > left) return true;
        left -= range.size();
        // Each overlaps itself.
        const auto with = [&](const ByteRange& other) { return overlap(range, other); };
        overlapping += std::ranges::count_if(ranges(), with) > 1 ? 1 : 0;
    }
    return overlapping > 2;
}

/// Two that touch become exactly their union, so what came before and touched neither does not touch it.
void ResolvedRanges::coalesce() noexcept {
    const auto end = [&] { return ranges_.begin() + size_; };
    for (auto range = ranges_.begin(); range != end(); ++range) {
        for (auto other = range + 1; other != end();) {
            if (!touch(*range, *other)) {
                ++other;
                continue;
            }
            *range = {std::min(range->first, other->first), std::max(range->last, other->last)};
            std::move(other + 1, end(), other);
            --size_;
            other = range + 1;
        }
    }
}

ResolvedRanges resolve(const RangeSet& set, Number complete_length) noexcept {
    using Answer = ResolvedRanges::Answer;
    ResolvedRanges out;
    if (set.kind() != RangeSet::Kind::ranges) return out;
    if (complete_length == 0) {
        // No Content-Range can say "none of nothing", though §14.1.2 calls it satisfiable.
        const auto is_last_part = [](const RangeSpec& spec) { return spec.suffix && spec.first > 0; };
        if (!std::ranges::any_of(set.specs(), is_last_part)) out.answer_ = Answer::unsatisfiable;
        return out;
    }
    for (const RangeSpec& spec : set.specs())
        if (const auto range = satisfied(spec, complete_length)) out.ranges_[out.size_++] = *range;
    if (out.is_flood(complete_length)) return {};
    out.coalesce();
    out.answer_ = out.size_ > 0 ? Answer::partial : Answer::unsatisfiable;
    return out;
}

ContentRange parse_content_range(std::string_view value) noexcept {
    if (value.size() <= unit.size() || !iequals(value.substr(0, unit.size()), unit) || value[unit.size()] != ' ')
        return {};
    value.remove_prefix(unit.size() + 1);
    const auto slash = value.find('/');
    if (slash == std::string_view::npos) return {};
    const std::string_view range = value.substr(0, slash);
    const std::string_view length = value.substr(slash + 1);

    const auto complete = parse_number(length);
    if (complete ? *complete == infinite : length != "*") return {};
    if (range == "*") return complete ? ContentRange{Kind::unsatisfied, {}, complete} : ContentRange{};

    const auto spec = parse_spec(range);
    if (!spec || spec->suffix || spec->last == infinite) return {};
    if (complete && *complete <= spec->last) return {};
    return {Kind::range, {spec->first, spec->last}, complete};
}

std::string_view write_content_range(RangeText& out, ByteRange range, std::optional<Number> complete) noexcept {
    Pen pen(out);
    pen << unit << " " << range.first << "-" << range.last << "/";
    if (complete)
        pen << *complete;
    else
        pen << "*";
    return pen.written();
}

std::string_view write_unsatisfied_range(RangeText& out, Number complete) noexcept {
    return (Pen(out) << unit << " */" << complete).written();
}

std::string_view write_range(RangeText& out, const RangeSpec& spec) noexcept {
    Pen pen(out);
    pen << unit << "=";
    if (spec.suffix) return (pen << "-" << spec.first).written();
    pen << spec.first << "-";
    if (spec.last != infinite) pen << spec.last;
    return pen.written();
}

bool if_range_matches(std::string_view value, std::string_view etag, std::string_view last_modified,
                      std::string_view date, WallTime now) noexcept {
    if (const auto asked = parse_entity_tag(value)) {
        const auto selected = parse_entity_tag(etag);
        return selected && strongly_equal(*asked, *selected);
    }
    const auto asked = parse_date(value, now);
    return asked && asked == parse_date(last_modified, now) && is_strong(*asked, date, now);
}

}  // namespace etage::http
