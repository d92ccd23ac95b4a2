#pragma once
// Interim responses (RFC 9110 §15.2) on their way from an origin to the client that waits for the final one. They are
// never stored, never merged into it (law 12), and told to nobody else: whom the final one is for is not known yet.

#include "http/message.hpp"

#include <cstddef>

namespace etage::flow {

/// Relayed before one final response; further ones are dropped, which RFC 9110 §15.2 takes for a proxy that asked for
/// them: a client must not depend on any. Rows of docs/limits.md.
inline constexpr std::size_t interim_relayed_max = 8;
inline constexpr std::size_t interim_bytes_max = 16 * 1024;  // of all of them together

/// On the executor of the one who fetches.
class InterimSink {
public:
    virtual ~InterimSink() = default;

    /// `status` is 102 to 199, never 100 or 101; `fields` are end-to-end and borrowed for the call. Never waits.
    virtual void tell(int status, http::FieldSpan fields) noexcept = 0;
};

}  // namespace etage::flow
