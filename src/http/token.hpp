#pragma once
// The smallest words of field values (RFC 9110 §5.6.2, §5.6.3), for those who take them apart.

#include "http/grammar.hpp"

#include <string_view>

namespace etage::http {

/// Field names, directives and codings are tokens.
constexpr bool is_token(std::string_view text) noexcept { return !text.empty() && grammar::all(text, grammar::tchar); }

/// Without OWS on either side.
constexpr std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view ows = " \t";
    const auto begin = text.find_first_not_of(ows);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(ows) - begin + 1);
}

}  // namespace etage::http
