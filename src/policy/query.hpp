#pragma once
// A query under a route's rule (DESIGN §6): which parameters count, and in which order. The key and the request to the
// origin are both made from it, so that what one leaves out is missing from the other (law 1).

#include "http/uri.hpp"

#include <etage/policy.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace etage::policy {

/// Compares parameter names as an origin reads them: percent-decoded, '+' a space; a bad escape means itself.
/// Negative, zero or positive. No allocation.
int compare_names(std::string_view a, std::string_view b) noexcept;
inline bool same_name(std::string_view a, std::string_view b) noexcept { return compare_names(a, b) == 0; }

/// With more parameters than this they stay in the order they came in: sorting is for saving entries, not for
/// attackers.
inline constexpr std::size_t sorted_parameters_max = 64;

/// The parameters of a query that count, sorted by name; those of one name keep their order. Borrows query and rule.
/// No allocation.
class RuledQuery {
public:
    RuledQuery(std::string_view query, const KeyPolicy& rule) noexcept;

    /// No parameter counts: there is no query, not even a '?'.
    bool empty() const noexcept { return count_ == 0; }
    /// Length of what for_each_piece() writes.
    std::size_t bytes() const noexcept { return bytes_; }

    /// Calls each(text) for the texts that make up the query when put together: "a=1", "&", "b=2".
    template <class F>
    void for_each_piece(F&& each) const {
        bool first = true;
        const auto piece = [&](std::string_view parameter) {
            if (!first) each(std::string_view("&"));
            first = false;
            each(parameter);
        };
        if (count_ > sorted_parameters_max) return for_each_kept([&](auto, std::string_view text) { piece(text); });
        for (const Place& place : std::span(places_).first(count_)) piece(query_.substr(place.begin, place.size));
    }

private:
    /// Where a parameter stands in the query. Small and trivial: 64 of them cost a hit nothing until they are used.
    struct Place {
        std::uint32_t begin;
        std::uint32_t size;
        std::uint32_t name_size;
    };

    /// each(name, text), in the order received; text is "name=value" or "name".
    template <class F>
    void for_each_kept(F&& each) const {
        http::for_each_parameter(query_, [&](std::string_view name, std::string_view value, bool has_equals) {
            if (!counts(name)) return;
            each(name, std::string_view(name.data(), name.size() + (has_equals ? 1 + value.size() : 0)));
        });
    }
    bool counts(std::string_view name) const noexcept;
    void insert(std::string_view name, std::string_view text) noexcept;

    std::string_view query_;
    const KeyPolicy& rule_;
    std::array<Place, sorted_parameters_max> places_;  // the first count_ are set, unless there are more than fit
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace etage::policy
