#pragma once
// Why a message is not taken: what the rooms of the parser say to each other.

#include <etage/error.hpp>

#include <string_view>

namespace etage::http {

/// No refusal while `why` is empty. `why` is a static text, for the log and the body of the answer.
struct Refusal {
    std::string_view why;
    Fault fault = Fault::bad_request;

    explicit operator bool() const noexcept { return !why.empty(); }
};

}  // namespace etage::http
