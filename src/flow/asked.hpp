#pragma once
// A request that outlives its connection's buffers: what a fill needs to know of the one who started it.

#include "http/message.hpp"

#include <string>

namespace etage::flow {

class Asked {
public:
    explicit Asked(const http::RequestHead& request, std::string_view scheme);
    Asked(const Asked&) = delete;
    Asked& operator=(const Asked&) = delete;

    /// Borrows from this object.
    const http::RequestHead& head() const noexcept { return head_; }
    std::string_view scheme() const noexcept { return scheme_; }

private:
    http::Fields fields_;
    std::string method_text_, target_, authority_, path_, query_, scheme_;
    http::RequestHead head_;
};

}  // namespace etage::flow
