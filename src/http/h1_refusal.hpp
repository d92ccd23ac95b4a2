#pragma once
// Why a message is not taken: what the rooms of the parser say to each other.

#include <etage/error.hpp>

namespace etage::http {

/// No refusal while `why` is null. `why` is a literal, for the log and the body of the answer; as a pointer it makes a
/// Refusal small enough to be returned in registers, which the parser does for every line.
struct Refusal {
    const char* why = nullptr;
    Fault fault = Fault::bad_request;

    explicit operator bool() const noexcept { return why != nullptr; }
};

}  // namespace etage::http
