#include "policy/query.hpp"

#include <algorithm>

namespace etage::policy {

namespace {

/// Reads a name as its decoded characters, one by one, so that nothing need be written anywhere.
class DecodedName {
public:
    explicit DecodedName(std::string_view raw) noexcept : rest_(raw) {}

    /// 0..255, or -1 at the end.
    int next() noexcept {
        if (rest_.empty()) return -1;
        const char c = rest_.front();
        if (const int value = c == '%' ? http::escaped_byte(rest_) : -1; value >= 0) {
            rest_.remove_prefix(3);
            return value;
        }
        rest_.remove_prefix(1);
        return c == '+' ? ' ' : static_cast<unsigned char>(c);
    }

private:
    std::string_view rest_;
};

bool is_plain(std::string_view name) noexcept {
    return std::ranges::none_of(name, [](char c) { return c == '%' || c == '+'; });
}

}  // namespace

int compare_names(std::string_view a, std::string_view b) noexcept {
    if (is_plain(a) && is_plain(b)) return a.compare(b);
    DecodedName left(a), right(b);
    for (;;) {
        const int l = left.next();
        const int r = right.next();
        if (l != r || l < 0) return l - r;
    }
}

RuledQuery::RuledQuery(std::string_view query, const KeyPolicy& rule) noexcept : query_(query), rule_(rule) {
    for_each_kept([&](std::string_view name, std::string_view text) {
        bytes_ += text.size() + (count_ == 0 ? 0 : 1);
        if (count_ < sorted_parameters_max) insert(name, text);
        ++count_;
    });
}

bool RuledQuery::counts(std::string_view name) const noexcept {
    if (rule_.query_mode == KeyPolicy::Query::all) return true;
    const bool listed =
        std::ranges::any_of(rule_.query, [&](const std::string& each) { return same_name(each, name); });
    return listed == (rule_.query_mode == KeyPolicy::Query::allow);
}

/// Insertion sort: stable, in place, and queries are short.
void RuledQuery::insert(std::string_view name, std::string_view text) noexcept {
    std::size_t at = count_;
    for (; at > 0; --at) {
        const Place& before = places_[at - 1];
        if (compare_names(query_.substr(before.begin, before.name_size), name) <= 0) break;
        places_[at] = before;
    }
    places_[at] = {static_cast<std::uint32_t>(text.data() - query_.data()), static_cast<std::uint32_t>(text.size()),
                   static_cast<std::uint32_t>(name.size())};
}

}  // namespace etage::policy
