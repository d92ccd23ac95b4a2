#pragma once
// The text of Cache-Control as it was written, mistakes included: http/cache_control.hpp has made the best of it
// already.

#include "gateway/lint.hpp"
#include "http/message.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace etage::gateway {

/// One directive. Borrows.
struct WrittenDirective {
    std::string_view name;                     // as written
    std::optional<std::string_view> argument;  // with its quotes
};

/// All of a field, in order, over all its lines.
std::vector<WrittenDirective> written_directives(http::FieldSpan, http::FieldId = http::FieldId::cache_control);

/// Everything that can be said of Cache-Control without the rest of the answer.
void lint_cache_control(http::FieldSpan, std::string_view where, Findings&);

/// Targeted fields (RFC 9213): CDN-Cache-Control, Etage-Cache-Control.
void lint_targeted(http::FieldSpan, std::string_view where, Findings&);

}  // namespace etage::gateway
