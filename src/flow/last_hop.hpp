#pragma once
// Max-Forwards (RFC 9110 §7.6.2): how far a TRACE or OPTIONS goes. Other methods ignore the field.

#include "http/message.hpp"

#include <optional>

namespace etage::flow {

/// The field's value; nothing when it is absent, no number, or says nothing about this method. Large ones are cut.
std::optional<unsigned> max_forwards(http::Method method, http::FieldSpan fields) noexcept;

/// One hop less, in a request that is forwarded. Precondition: it may be.
void lower_max_forwards(http::Method method, http::Fields& fields);

}  // namespace etage::flow
