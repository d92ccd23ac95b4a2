#pragma once
// `etage check --url`: the handful of requests whose answers are judged (gateway/lint_answer.hpp).

#include "gateway/lint_answer.hpp"
#include "http_client.hpp"

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::cli {

/// What to ask, as the user said it.
struct ProbeTarget {
    std::string url;  // whole, for messages
    std::string host;
    std::string port;
    std::string authority;
    std::string target;   // path and query
    http::Fields fields;  // of every request
};

/// "http://host/path?query"; without a scheme it is http. `headers` are 'Name: value'. The error is for people.
std::expected<ProbeTarget, std::string> parse_probe_target(std::string_view url,
                                                           const std::vector<std::string>& headers);

struct Probed {
    gateway::Observations seen;
    std::size_t requests = 0;
};

/// Sends a call and waits; call() with the bounds of a check, or a test's own.
using ProbeSend = std::function<std::expected<HttpAnswer, HttpFailure>(const HttpCall&)>;

/// At most six requests, one after the other: GET twice, with its validator, for gzip, HEAD, and without credentials if
/// there are any. The error: the first was not answered. Later ones that are not are told in the observations.
std::expected<Probed, std::string> probe(const ProbeTarget& target, const ProbeSend& send);

/// As call(), bounded: 5 s for each request, 1 MiB of content.
std::expected<HttpAnswer, HttpFailure> send_probe(const HttpCall&);

}  // namespace etage::cli
