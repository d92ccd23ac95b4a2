#include "gateway/config_settings.hpp"

#include "gateway/config_origin.hpp"
#include "gateway/config_read.hpp"
#include "http/h1_parser.hpp"

#include <algorithm>

namespace etage::gateway {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t many = 1'000'000;  // of connections: more than a process can open

std::optional<http::ListenAddress> read_address(const Node& node, Problems& problems) {
    const auto text = read_text(node, problems);
    if (!text) return std::nullopt;
    std::string why;
    auto address = http::parse_listen_address(*text, why);
    if (!address) problems.add(node, "\"" + *text + "\": " + why);
    return address;
}

/// Two sockets cannot have one address; port 0 is a new port each time.
bool same(const http::ListenAddress& a, const http::ListenAddress& b) {
    return a.port != 0 && a.port == b.port && a.host == b.host;
}

void set_listen(ServerConfig& server, const Node& node, Problems& problems) {
    const auto nodes = read_nodes(node, problems);
    if (!nodes) return;
    std::vector<http::ListenAddress> addresses;
    for (const Node& element : *nodes) {
        const auto address = read_address(element, problems);
        if (!address) return;
        if (std::ranges::any_of(addresses, [&](const auto& other) { return same(other, *address); })) {
            problems.add(element, address->text() + " is listed twice");
            return;
        }
        addresses.push_back(*address);
    }
    if (addresses.empty())
        problems.add(node, "needs at least one address, like \"127.0.0.1:8080\"");
    else
        server.listen = std::move(addresses);
}

void set_trusted_proxies(ServerConfig& server, const Node& node, Problems& problems) {
    const auto nodes = read_nodes(node, problems);
    if (!nodes) return;
    std::vector<net::Network> networks;
    for (const Node& element : *nodes) {
        const auto network = net::parse_network(std::get<std::string>(element.value));
        if (!network) return problems.add(element, network.error());
        networks.push_back(*network);
    }
    server.trusted_proxies = std::move(networks);
}

void set_client_field(ServerConfig& server, const Node& node, Problems& problems) {
    static constexpr Word<http::FieldId> words[] = {{"x-forwarded-for", http::FieldId::x_forwarded_for},
                                                    {"forwarded", http::FieldId::forwarded}};
    keep(server.client_field, read_word(node, problems, words));
}

constexpr Word<serve::ProxyProtocol> proxy_protocols[] = {{"off", serve::ProxyProtocol::off},
                                                          {"accept", serve::ProxyProtocol::accept},
                                                          {"require", serve::ProxyProtocol::require}};

void set_limits_page(ServerConfig& server, const Node& node, Problems& problems) {
    const auto text = read_text(node, problems);
    if (!text) return;
    const auto plain = [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '%'; };
    if (text->empty() || (text->front() == '/' && std::ranges::all_of(*text, plain)))
        server.limits_page = *text;
    else
        problems.add(node, "\"" + *text + "\" is no path; write one like \"/limits/me\"");
}

constexpr Key<ServerConfig> server_keys[] = {
    {"listen", set_listen},
    {"threads", [](ServerConfig& s, const Node& n, Problems& p) { keep(s.threads, read_count(n, p, 0, 1024)); }},
    {"trusted_proxies", set_trusted_proxies},
    {"client_field", set_client_field},
    {"proxy_protocol",
     [](ServerConfig& s, const Node& n, Problems& p) { keep(s.proxy_protocol, read_word(n, p, proxy_protocols)); }},
    {"limits_page", set_limits_page},
    {"server_timing", [](ServerConfig& s, const Node& n, Problems& p) { keep(s.server_timing, read_flag(n, p)); }},
    {"grace", [](ServerConfig& s, const Node& n, Problems& p) { keep(s.grace, read_duration(n, p)); }},
    {"header_timeout", [](ServerConfig& s, const Node& n,
                          Problems& p) { keep(s.header_timeout, read_duration(n, p, milliseconds(10))); }},
    {"idle_timeout",
     [](ServerConfig& s, const Node& n, Problems& p) { keep(s.idle_timeout, read_duration(n, p, milliseconds(10))); }},
    {"body_timeout",
     [](ServerConfig& s, const Node& n, Problems& p) { keep(s.body_timeout, read_duration(n, p, milliseconds(10))); }},
    {"body_rate_min", [](ServerConfig& s, const Node& n, Problems& p) { keep(s.body_rate_min, read_size(n, p, 0)); }},
    {"write_timeout",
     [](ServerConfig& s, const Node& n, Problems& p) { keep(s.write_timeout, read_duration(n, p, milliseconds(10))); }},
    {"write_rate_min", [](ServerConfig& s, const Node& n, Problems& p) { keep(s.write_rate_min, read_size(n, p, 0)); }},
    {"tunnel_timeout", [](ServerConfig& s, const Node& n,
                          Problems& p) { keep(s.tunnel_timeout, read_duration(n, p, milliseconds(10))); }},
    {"connections_max",
     [](ServerConfig& s, const Node& n, Problems& p) { keep(s.connections_max, read_count(n, p, 1, many)); }},
    {"connections_per_client_max", [](ServerConfig& s, const Node& n,
                                      Problems& p) { keep(s.connections_per_client_max, read_count(n, p, 0, many)); }},
    {"request_line_bytes_max", [](ServerConfig& s, const Node& n,
                                  Problems& p) { keep(s.request_line_bytes_max, read_size(n, p, 256, 1 << 20)); }},
    {"head_bytes_max",
     [](ServerConfig& s, const Node& n, Problems& p) { keep(s.head_bytes_max, read_size(n, p, 1024, 1 << 20)); }},
    {"fields_max", [](ServerConfig& s, const Node& n,
                      Problems& p) { keep(s.fields_max, read_count(n, p, 8, http::fields_capacity)); }},
    {"body_bytes_max", [](ServerConfig& s, const Node& n, Problems& p) { keep(s.body_bytes_max, read_size(n, p, 0)); }},
};

void set_token(AdminConfig& admin, const Node& node, Problems& problems) {
    const auto token = read_text(node, problems);
    if (!token) return;
    // It travels as `Authorization: Bearer <token>`, where neither spaces nor controls can stand.
    if (token->empty() || std::ranges::any_of(*token, [](char c) { return c <= ' ' || c > '~'; }))
        problems.add(node, "a token is visible ASCII without spaces, and not empty");
    else
        admin.token = *token;
}

constexpr Key<AdminConfig> admin_keys[] = {
    {"listen", [](AdminConfig& a, const Node& n, Problems& p) { keep(a.listen, read_address(n, p)); }},
    {"token", set_token},
};

void set_urls(OriginConfig& origin, const Node& node, Problems& problems) {
    const auto nodes = read_nodes(node, problems);
    if (!nodes) return;
    std::vector<http::Endpoint> urls;
    for (const Node& element : *nodes) {
        const std::string& text = std::get<std::string>(element.value);
        std::string why;
        auto url = http::parse_endpoint(text, why);
        if (!url) {
            problems.add(element, "\"" + text + "\": " + why);
            return;
        }
        if (url->scheme != "http") {
            problems.add(element, "\"" + text + "\": TLS to an origin is not in this version; use an http:// URL");
            return;
        }
        urls.push_back(std::move(*url));
    }
    if (urls.empty())
        problems.add(node, "needs at least one URL, like \"http://127.0.0.1:8000\"");
    else
        origin.urls = std::move(urls);
}

constexpr Key<OriginConfig> origin_keys[] = {
    {"urls", set_urls},
    {"connect_timeout", [](OriginConfig& o, const Node& n,
                           Problems& p) { keep(o.connect_timeout, read_duration(n, p, milliseconds(1))); }},
    {"first_byte_timeout", [](OriginConfig& o, const Node& n,
                              Problems& p) { keep(o.first_byte_timeout, read_duration(n, p, milliseconds(1))); }},
    {"between_bytes_timeout", [](OriginConfig& o, const Node& n,
                                 Problems& p) { keep(o.between_bytes_timeout, read_duration(n, p, milliseconds(1))); }},
    {"connections_max",
     [](OriginConfig& o, const Node& n, Problems& p) { keep(o.connections_max, read_count(n, p, 1, many)); }},
    {"cost_per_call",
     [](OriginConfig& o, const Node& n, Problems& p) { keep(o.calls.cost_per_call, read_number(n, p, 0)); }},
    {"currency", set_currency},
    {"budget", set_budget},
    {"concurrency", set_concurrency},
    {"concurrency_max",
     [](OriginConfig& o, const Node& n, Problems& p) { keep(o.concurrency_max, read_count(n, p, 1, many)); }},
    {"queue_time_max",
     [](OriginConfig& o, const Node& n, Problems& p) { keep(o.queue_time_max, read_duration(n, p)); }},
};

constexpr Key<MemoryConfig> memory_keys[] = {
    {"limit", [](MemoryConfig& m, const Node& n, Problems& p) { keep(m.limit, read_size(n, p, 1 << 20)); }},
    {"entry_max", [](MemoryConfig& m, const Node& n, Problems& p) { keep(m.entry_max, read_size(n, p, 1)); }},
};

void set_url(RedisConfig& redis, const Node& node, Problems& problems) {
    const auto text = read_text(node, problems);
    if (!text) return;
    auto url = redis::parse_url(*text);
    if (url)
        redis.url = std::move(*url);
    else
        problems.add(node, url.error());
}

/// It stands in front of every name, and within braces where names share a slot of a cluster.
void set_namespace(RedisConfig& redis, const Node& node, Problems& problems) {
    const auto text = read_text(node, problems);
    if (!text) return;
    const auto plain = [](char c) { return c > ' ' && c <= '~' && c != '{' && c != '}'; };
    if (text->empty() || text->size() > 64 || !std::ranges::all_of(*text, plain))
        problems.add(node, "a namespace is 1 to 64 characters of visible ASCII without braces, like \"shop\"");
    else
        redis.name_space = *text;
}

void set_secret(RedisConfig& redis, const Node& node, Problems& problems) {
    const auto text = read_text(node, problems);
    if (!text) return;
    if (text->size() < 16)
        problems.add(node, "a secret has at least 16 characters, the same for all instances");
    else
        redis.secret = *text;
}

constexpr Key<RedisConfig> redis_keys[] = {
    {"url", set_url},
    {"password", [](RedisConfig& r, const Node& n, Problems& p) { keep(r.password, read_text(n, p)); }},
    {"namespace", set_namespace},
    {"budget",
     [](RedisConfig& r, const Node& n, Problems& p) { keep(r.budget, read_duration(n, p, milliseconds(1))); }},
    {"required", [](RedisConfig& r, const Node& n, Problems& p) { keep(r.required, read_flag(n, p)); }},
    {"entry_max", [](RedisConfig& r, const Node& n, Problems& p) { keep(r.entry_max, read_size(n, p, 1, 64 << 20)); }},
    {"secret", set_secret},
    {"tls_ca", [](RedisConfig& r, const Node& n, Problems& p) { keep(r.tls_ca, read_text(n, p)); }},
    {"tls_certificate", [](RedisConfig& r, const Node& n, Problems& p) { keep(r.tls_certificate, read_text(n, p)); }},
    {"tls_key", [](RedisConfig& r, const Node& n, Problems& p) { keep(r.tls_key, read_text(n, p)); }},
};

constexpr Word<CoherenceConfig::Mode> modes[] = {{"available", CoherenceConfig::Mode::available},
                                                 {"strict", CoherenceConfig::Mode::strict}};
constexpr Key<CoherenceConfig> coherence_keys[] = {
    {"mode", [](CoherenceConfig& c, const Node& n, Problems& p) { keep(c.mode, read_word(n, p, modes)); }},
    {"lease",
     [](CoherenceConfig& c, const Node& n, Problems& p) { keep(c.lease, read_duration(n, p, milliseconds(100))); }},
    {"blind_max", [](CoherenceConfig& c, const Node& n, Problems& p) { keep(c.blind_max, read_duration(n, p)); }},
    {"settle", [](CoherenceConfig& c, const Node& n, Problems& p) { keep(c.settle, read_duration(n, p)); }},
};

constexpr Word<base::LogLevel> levels[] = {{"debug", base::LogLevel::debug},
                                           {"info", base::LogLevel::info},
                                           {"warn", base::LogLevel::warn},
                                           {"error", base::LogLevel::error},
                                           {"off", base::LogLevel::off}};
constexpr Word<base::LogFormat> formats[] = {{"text", base::LogFormat::text}, {"json", base::LogFormat::json}};
constexpr Word<AccessLog> accesses[] = {
    {"off", AccessLog::off}, {"misses", AccessLog::misses}, {"all", AccessLog::all}};

constexpr Key<LogConfig> log_keys[] = {
    {"level", [](LogConfig& l, const Node& n, Problems& p) { keep(l.level, read_word(n, p, levels)); }},
    {"format", [](LogConfig& l, const Node& n, Problems& p) { keep(l.format, read_word(n, p, formats)); }},
    {"access", [](LogConfig& l, const Node& n, Problems& p) { keep(l.access, read_word(n, p, accesses)); }},
};

constexpr Key<Config> default_keys[] = {
    {"ttl", [](Config& c, const Node& n, Problems& p) { keep(c.default_ttl, read_duration(n, p)); }},
};

template <auto& Keys>
constexpr auto names = names_of(Keys);

/// `part` finds in the configuration what the keys of the section change.
template <auto& Keys, auto part>
constexpr Section section(std::string_view name) {
    return {name, names<Keys>, [](Config& config, std::size_t key, const Node& node, Problems& problems) {
                Keys[key].set(part(config), node, problems);
            }};
}

constexpr auto whole = [](Config& c) -> Config& { return c; };
constexpr Section all_sections[] = {
    section<server_keys, [](Config& c) -> ServerConfig& { return c.server; }>("server"),
    section<admin_keys, [](Config& c) -> AdminConfig& { return c.admin; }>("admin"),
    section<origin_keys, [](Config& c) -> OriginConfig& { return c.origins.front(); }>("origin"),
    section<memory_keys, [](Config& c) -> MemoryConfig& { return c.memory; }>("memory"),
    section<log_keys, [](Config& c) -> LogConfig& { return c.log; }>("log"),
    section<default_keys, whole>("default"),
    section<redis_keys, [](Config& c) -> RedisConfig& { return c.redis; }>("redis"),
    section<coherence_keys, [](Config& c) -> CoherenceConfig& { return c.coherence; }>("coherence"),
};

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

}  // namespace

std::span<const Section> sections() noexcept { return all_sections; }

std::string Setting::path() const { return std::string(section->name) + "." + std::string(key_name()); }
std::string Setting::variable() const { return "ETAGE_" + upper(section->name) + "_" + upper(key_name()); }

std::optional<Setting> setting(std::string_view section_name, std::string_view key) noexcept {
    for (const Section& s : all_sections) {
        if (s.name != section_name) continue;
        for (std::size_t i = 0; i < s.keys.size(); ++i)
            if (s.keys[i] == key) return Setting{&s, i};
    }
    return std::nullopt;
}

std::optional<Setting> setting_of_variable(std::string_view variable) {
    for (const Section& s : all_sections)
        for (std::size_t i = 0; i < s.keys.size(); ++i)
            if (const Setting candidate{&s, i}; candidate.variable() == variable) return candidate;
    return std::nullopt;
}

std::vector<std::string> variables() {
    std::vector<std::string> out;
    for (const Section& s : all_sections)
        for (std::size_t i = 0; i < s.keys.size(); ++i) out.push_back(Setting{&s, i}.variable());
    return out;
}

void read_origin(OriginConfig& origin, const Node& node, Problems& problems) {
    read_table(origin, node, problems, origin_keys);
}

std::vector<std::string> Config::origin_names() const {
    std::vector<std::string> out;
    for (const OriginConfig& origin : origins) out.push_back(origin.name);
    return out;
}

}  // namespace etage::gateway
