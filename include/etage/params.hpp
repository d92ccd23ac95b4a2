#pragma once
// Typed, validated parameters of a route, given to its handler as plain values:
//
//     server.route("GET /posts", {}, query<int>("limit").range(1, 100).or_else(20),
//                  query<std::optional<std::string>>("category").length(1, 40), list_posts);
//
// A value that does not fit never reaches the handler: the client gets 422 and a problem document that names the
// parameter, the value and the bound (members "parameter", "value", "bound").
//
// T is an integer, float or double, bool ("true", "1", "false", "0"), std::string (valid UTF-8), or std::optional of
// these (absent = nothing). A parameter that is neither optional nor has an or_else() must be given, and none may be
// given twice: which of two values a cache or a framework takes should not matter.
//
// Thread-safety: immutable once the route is declared.

#include <etage/message.hpp>

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace etage {

namespace detail {

template <class T>
struct Unwrapped {
    using Type = T;
    static constexpr bool optional = false;
};
template <class T>
struct Unwrapped<std::optional<T>> {
    using Type = T;
    static constexpr bool optional = true;
};

template <class T>
concept Number = std::is_arithmetic_v<T> && !std::same_as<T, bool> && !std::same_as<T, char>;
template <class T>
concept ParameterValue = Number<T> || std::same_as<T, bool> || std::same_as<T, std::string>;

enum class ParameterFrom : std::uint8_t { query, path, header };

/// What a parameter accepts, as people read it.
struct ParameterRule {
    ParameterFrom from = ParameterFrom::query;
    std::string name;
    std::string_view kind;  // "a whole number"; static storage
    std::string low, high;  // of the value, or of the length of a text; empty = none
    bool is_length = false;
    std::vector<std::string> choices;
};

/// The one value, percent-decoded; nothing when absent. Throws Problem 422 when it is given twice or does not decode.
std::optional<std::string> given_value(const Request& request, const ParameterRule& rule);

[[noreturn]] void refuse_absent(const ParameterRule& rule);
[[noreturn]] void refuse_kind(const ParameterRule& rule, std::string_view value);    // "must be a whole number …"
[[noreturn]] void refuse_bound(const ParameterRule& rule, std::string_view value);   // "must be between …"
[[noreturn]] void refuse_choice(const ParameterRule& rule, std::string_view value);  // "must be one of …"

/// Characters of a UTF-8 text; nothing when it is not UTF-8.
std::optional<std::size_t> utf8_characters(std::string_view text) noexcept;

template <class V>
std::string value_text(const V& value) {
    if constexpr (std::same_as<V, std::string>)
        return value;
    else {
        char text[64];
        return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
    }
}

}  // namespace detail

template <class T>
class Parameter {
    using Value = typename detail::Unwrapped<T>::Type;
    static constexpr bool is_text = std::same_as<Value, std::string>;
    static_assert(detail::ParameterValue<Value>,
                  "a parameter is a number, bool, std::string, or std::optional of these");

public:
    using value_type = T;

    Parameter(detail::ParameterFrom from, std::string name) {
        rule_.from = from;
        rule_.name = std::move(name);
        rule_.kind = is_text                     ? "text"
                     : std::same_as<Value, bool> ? "true or false"
                     : std::integral<Value>      ? "a whole number"
                                                 : "a number";
    }

    /// Bounds of a number, both included.
    Parameter at_least(Value low) &&
        requires detail::Number<Value>
    {
        rule_.low = detail::value_text(low);
        low_ = low;
        return std::move(*this);
    }
    Parameter at_most(Value high) &&
        requires detail::Number<Value>
    {
        rule_.high = detail::value_text(high);
        high_ = high;
        return std::move(*this);
    }
    Parameter range(Value low, Value high) &&
        requires detail::Number<Value>
    {
        return std::move(*this).at_least(low).at_most(high);
    }

    /// Bounds of a text's length in characters, both included.
    Parameter length(std::size_t low, std::size_t high) &&
        requires is_text
    {
        rule_.low = std::to_string(low);
        rule_.high = std::to_string(high);
        rule_.is_length = true;
        length_low_ = low;
        length_high_ = high;
        return std::move(*this);
    }

    /// The only values accepted; for texts compared as bytes.
    Parameter one_of(std::vector<Value> choices) && {
        for (const Value& choice : choices) rule_.choices.push_back(detail::value_text(choice));
        choices_ = std::move(choices);
        return std::move(*this);
    }

    /// The value when the parameter is absent. It is not checked against the bounds.
    Parameter or_else(Value value) &&
        requires(!detail::Unwrapped<T>::optional) {
            absent_ = std::move(value);
            return std::move(*this);
        }

        const std::string& name() const noexcept {
        return rule_.name;
    }
    bool is_path() const noexcept { return rule_.from == detail::ParameterFrom::path; }

    /// The value this request carries. Throws Problem 422.
    T read(const Request& request) const {
        auto given = detail::given_value(request, rule_);
        if (given) return checked(*std::move(given));
        if constexpr (detail::Unwrapped<T>::optional)
            return std::nullopt;
        else {
            if (!absent_) detail::refuse_absent(rule_);
            return *absent_;
        }
    }

private:
    Value checked(std::string given) const {
        if constexpr (is_text) {
            const auto characters = detail::utf8_characters(given);
            if (!characters) detail::refuse_kind(rule_, given);
            if (*characters < length_low_ || *characters > length_high_) detail::refuse_bound(rule_, given);
            check_choice(given, given);
            return given;
        } else {
            const Value value = parsed(given);
            check_choice(value, given);
            return value;
        }
    }

    void check_choice(const Value& value, std::string_view given) const {
        if (choices_.empty()) return;
        for (const Value& choice : choices_)
            if (choice == value) return;
        detail::refuse_choice(rule_, given);
    }

    Value parsed(std::string_view given) const
        requires std::same_as<Value, bool>
    {
        if (given == "true" || given == "1") return true;
        if (given == "false" || given == "0") return false;
        detail::refuse_kind(rule_, given);
    }

    Value parsed(std::string_view given) const
        requires detail::Number<Value>
    {
        Value value{};
        const char* const end = given.data() + given.size();
        const auto [stopped, error] = std::from_chars(given.data(), end, value);
        if (stopped != end || error == std::errc::invalid_argument) detail::refuse_kind(rule_, given);
        if (error == std::errc::result_out_of_range) {  // a number, but not one of this type: its limits are the bounds
            detail::ParameterRule rule = rule_;
            if (rule.low.empty()) rule.low = detail::value_text(std::numeric_limits<Value>::lowest());
            if (rule.high.empty()) rule.high = detail::value_text(std::numeric_limits<Value>::max());
            detail::refuse_bound(rule, given);
        }
        if constexpr (std::floating_point<Value>)
            if (!std::isfinite(value)) detail::refuse_kind(rule_, given);
        if ((low_ && value < *low_) || (high_ && value > *high_)) detail::refuse_bound(rule_, given);
        return value;
    }

    detail::ParameterRule rule_;
    std::optional<Value> low_, high_;
    std::size_t length_low_ = 0;
    std::size_t length_high_ = std::numeric_limits<std::size_t>::max();
    std::vector<Value> choices_;
    std::optional<Value> absent_;
};

/// "?name=…" of the request's target.
template <class T>
Parameter<T> query(std::string name) {
    return {detail::ParameterFrom::query, std::move(name)};
}

/// "{name}" of the route's pattern.
template <class T>
Parameter<T> path(std::string name) {
    return {detail::ParameterFrom::path, std::move(name)};
}

/// A header field of the request.
template <class T>
Parameter<T> header(std::string name) {
    return {detail::ParameterFrom::header, std::move(name)};
}

}  // namespace etage
