#pragma once
// Where Redis is and how it is spoken to.

#include <etage/error.hpp>
#include <etage/time.hpp>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace etage::redis {

struct Address {
    std::string host;  // a name, or a numeric address without brackets
    std::uint16_t port = 6379;
    friend bool operator==(const Address&, const Address&) = default;
};

/// "host:6379", "[::1]:6379".
std::string text_of(const Address& address);

enum class Arrangement : std::uint8_t { standalone, sentinel, cluster };

/// redis://[user:password@]host[:port][/db]          one server
/// rediss://…                                        the same over TLS
/// unix://[user:password@]/path/to/socket[?db=0]     one server on this machine
/// redis+sentinel://[user:password@]host[:port],host[:port]/name[/db]   whoever these Sentinels say is the primary
/// redis+cluster://[user:password@]host[:port],host[:port]   a cluster, found through any of these nodes
/// rediss+sentinel://, rediss+cluster://             the same over TLS
struct Url {
    Arrangement arrangement = Arrangement::standalone;
    bool tls = false;
    std::vector<Address> addresses;  // one at least, unless `socket_path`
    std::string socket_path;
    std::string primary;  // its name at the Sentinels
    std::string user;     // percent-decoded; empty: the default user
    std::string password;
    std::uint32_t database = 0;

    /// Without the password: for messages.
    std::string text() const;
    friend bool operator==(const Url&, const Url&) = default;
};

/// What is wrong stands in the error, without the password, and with the nearest scheme when it is unknown.
std::expected<Url, std::string> parse_url(std::string_view text);

struct Options {
    Url url;
    std::string tls_ca;           // a PEM file; empty: the system's
    std::string tls_certificate;  // of this client, a PEM file; empty: none
    std::string tls_key;
    std::string client_name = "etage";                           // CLIENT SETNAME
    Duration connect_timeout = std::chrono::milliseconds(1000);  // resolving, connecting, TLS, AUTH together
    std::uint32_t failures_max = 3;                              // in a row: then the breaker opens
    Duration retry_first = std::chrono::milliseconds(50);        // with a breaker open: probes are so far apart …
    Duration retry_max = std::chrono::milliseconds(500);         // … and at most so far; each with ± 25 % jitter
    Duration answer_timeout = std::chrono::milliseconds(50);  // a probe that takes longer has failed: the same budget
    std::size_t pending_max = 4096;                           // commands of one connection without a reply
    std::size_t pending_bytes_max = std::size_t{64} << 20;    // of commands that the system did not take yet
    std::size_t reply_bytes_max = std::size_t{16} << 20;      // a longer one closes the connection
};

}  // namespace etage::redis
