#pragma once
// Errors are values. They say whose fault it is and whether trying again can help.

#include <etage/time.hpp>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace etage {

/// Whose fault an error is. `remote_store` is Redis.
enum class Blame : std::uint8_t { client, origin, remote_store, us };

/// What went wrong, as a closed list; each has a name (for logs and problem documents) and an HTTP status.
enum class Fault : std::uint8_t {
    bad_request,          // 400
    payload_too_large,    // 413
    uri_too_long,         // 414
    expectation_failed,   // 417
    fields_too_large,     // 431
    not_implemented,      // 501
    version_unsupported,  // 505
    not_found,            // 404
    request_timeout,      // 408
    origin_unreachable,   // 502: no connection
    origin_protocol,      // 502: it answered, but not HTTP
    origin_incomplete,    // 502: the message ended early
    origin_timeout,       // 504
    overloaded,           // 503
    budget_spent,         // 503: the origin was not asked, its budget for calls is spent
    origin_busy,          // 503: nor now, it has as many calls under way as it takes
    cancelled,            // 499: the client is gone
    not_recorded,         // 503: an invalidation could not be recorded
    internal,             // 500
};

std::string_view fault_name(Fault) noexcept;  // "origin-timeout"
int fault_status(Fault) noexcept;             // 504

struct Error {
    Blame blame = Blame::us;
    Fault fault = Fault::internal;
    bool retryable = false;  // the same call may succeed elsewhere or later
    std::string what;        // for people: who, where, what to do
    Duration retry_after{};  // before then the same call fails again; zero: nobody knows
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> failure(Blame blame, Fault fault, std::string what, bool retryable = false) {
    return std::unexpected<Error>(Error{blame, fault, retryable, std::move(what)});
}

}  // namespace etage
