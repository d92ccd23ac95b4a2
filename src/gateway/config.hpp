#pragma once
// What the operator decided, as plain values: the result of reading flags, environment, .env and file
// (config_load.hpp). Everything here is checked; compose only builds from it.

#include "base/log.hpp"
#include "http/message.hpp"
#include "http/uri.hpp"
#include "net/network.hpp"
#include "redis/options.hpp"
#include "serve/limits.hpp"

#include <etage/origin.hpp>
#include <etage/policy.hpp>
#include <etage/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace etage::gateway {

/// Limits have a row each in docs/limits.md.
struct ServerConfig {
    std::vector<http::ListenAddress> listen = {{"127.0.0.1", 8080}};
    unsigned threads = 0;                                             // 0 = as many as the machine has CPUs for us
    std::vector<net::Network> trusted_proxies;                        // who are believed whom they speak for …
    http::FieldId client_field = http::FieldId::x_forwarded_for;      // … in this field, and in no other
    serve::ProxyProtocol proxy_protocol = serve::ProxyProtocol::off;  // … or in front of everything
    bool server_timing = false;                                       // answers say how long they took
    std::string limits_page;                             // where clients read what is left to them; empty: nowhere
    Duration grace = std::chrono::seconds(10);           // after SIGTERM, for what is in flight
    Duration header_timeout = std::chrono::seconds(10);  // from the first byte of a head to its end
    Duration idle_timeout = std::chrono::seconds(60);    // between requests of a kept connection
    Duration body_timeout = std::chrono::seconds(30);    // between two pieces of a request's content
    Duration write_timeout = std::chrono::seconds(30);   // for a client that does not read
    Duration tunnel_timeout = std::chrono::hours(1);     // after 101, while neither side says anything
    std::size_t body_rate_min = 240;                     // bytes a second, once body_timeout is spent; 0 = any
    std::size_t write_rate_min = 240;                    // likewise
    std::size_t connections_max = 20'000;
    std::size_t connections_per_client_max = 1'000;  // 0 = no bound
    std::size_t request_line_bytes_max = std::size_t{8} << 10;
    std::size_t head_bytes_max = std::size_t{32} << 10;
    std::size_t fields_max = 100;
    std::size_t body_bytes_max = 0;  // of a request's content; 0 = no bound
};

struct AdminConfig {
    http::ListenAddress listen = {"127.0.0.1", 8081};
    std::string token;  // empty = none; never with an address others can reach
};

/// Who answers what is not on the shelf. `[origin]` is the default one, `[origins.<name>]` are others for routes to
/// name.
struct OriginConfig {
    std::string name = "default";
    std::vector<http::Endpoint> urls;
    Duration connect_timeout = std::chrono::seconds(2);
    Duration first_byte_timeout = std::chrono::seconds(30);  // from the request's last byte to the answer's first
    Duration between_bytes_timeout = std::chrono::seconds(30);
    std::size_t connections_max = 256;           // of all URLs together
    OriginOptions calls;                         // what they cost, and how many there may be
    std::optional<std::size_t> concurrency_max;  // of calls.concurrency, when it is adaptive; nothing: its own default
    Duration queue_time_max = std::chrono::milliseconds(100);  // of calls.concurrency, too
    friend bool operator==(const OriginConfig&, const OriginConfig&) = default;
};

struct MemoryConfig {
    std::size_t limit = std::size_t{256} << 20;    // resident bytes of the cache, overhead included
    std::size_t entry_max = std::size_t{8} << 20;  // a larger response is not stored
};

/// Which requests are written to the access log.
enum class AccessLog : std::uint8_t { off, misses, all };

struct LogConfig {
    base::LogLevel level = base::LogLevel::info;
    base::LogFormat format = base::LogFormat::text;
    AccessLog access = AccessLog::off;
};

/// The shared tier. Without a URL there is none: entries live in memory alone, and so does the log of invalidations.
struct RedisConfig {
    std::optional<redis::Url> url;
    std::string password;  // in place of the URL's
    std::string name_space = "etage";
    Duration budget = std::chrono::milliseconds(50);  // of a request, for all its calls to Redis
    bool required = false;                            // true: not ready while it is away
    std::size_t entry_max = std::size_t{1} << 20;     // a larger entry stays in memory
    std::string secret;                               // keys the identities of per-user entries that instances share
    std::string tls_ca;                               // PEM files
    std::string tls_certificate;
    std::string tls_key;
    friend bool operator==(const RedisConfig&, const RedisConfig&) = default;
};

/// DESIGN §4 rule 8.
struct CoherenceConfig {
    enum class Mode : std::uint8_t { available, strict };
    Mode mode = Mode::available;
    Duration lease = std::chrono::seconds(1);
    Duration blind_max = std::chrono::seconds(30);
    Duration settle{};  // every invalidation once more after so long, for what reads from a replica that lags; 0: no
    friend bool operator==(const CoherenceConfig&, const CoherenceConfig&) = default;
};

struct Config {
    ServerConfig server;
    AdminConfig admin;
    std::vector<OriginConfig> origins = {OriginConfig{}};  // [0] is the default one; its urls may be empty
    MemoryConfig memory;
    RedisConfig redis;
    CoherenceConfig coherence;
    LogConfig log;
    std::optional<Duration> default_ttl;  // for cacheable routes that name no ttl of their own
    std::vector<RoutePolicy> routes;      // in file order; every one compiles
    std::vector<LimitPolicy> limits;      // for every request, whatever its route

    /// Names in order, as policy::Router::compile wants them.
    std::vector<std::string> origin_names() const;
};

}  // namespace etage::gateway
