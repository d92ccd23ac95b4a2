#pragma once
// Interim responses for the client of one request (RFC 9110 §15.2), within their bounds.

#include "flow/interim.hpp"

#include <cstddef>
#include <memory>

namespace etage::serve {

class Connection;

/// On the connection's thread. After close(), when the final answer is there, everything is dropped: a fetch may
/// outlive the request it was made for.
class Interims final : public flow::InterimSink {
public:
    explicit Interims(Connection& connection);

    void tell(int status, http::FieldSpan fields) noexcept override;
    void close() noexcept { connection_.reset(); }

private:
    std::shared_ptr<Connection> connection_;
    std::size_t told_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace etage::serve
