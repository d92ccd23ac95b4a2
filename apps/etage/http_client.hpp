#pragma once
// The HTTP client of the small commands: one request, one connection, blocking. No TLS, no redirects, no retries.

#include "http/message.hpp"

#include <etage/time.hpp>

#include <cstddef>
#include <expected>
#include <string>

namespace etage::cli {

struct HttpCall {
    std::string host;  // name or address, without brackets
    std::string port;
    http::Method method = http::Method::get;  // whether the answer has content depends on it
    std::string request;                      // as it goes over the wire; should say Connection: close
    std::size_t content_bytes_max = 0;        // what is beyond is not read
};

struct HttpAnswer {
    int status = 0;
    http::Fields fields;  // all of them, as they came
    http::BodyKind framing = http::BodyKind::none;
    std::string content;
    bool whole = true;  // false: there is more than content_bytes_max
};

struct HttpFailure {
    enum class Kind { unreachable, silent, unusable };  // no connection; not in time; not whole, or not HTTP
    Kind kind = Kind::unreachable;
    std::string what;  // for people
};

/// Waits for the whole answer, at most `timeout` altogether. Interim answers are skipped.
std::expected<HttpAnswer, HttpFailure> call(const HttpCall&, Duration timeout);

}  // namespace etage::cli
