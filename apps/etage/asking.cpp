// explain, purge, reload and stats: what asks a running Etage.

#include "admin_client.hpp"
#include "commands.hpp"
#include "gateway/config_load.hpp"
#include "http/problem.hpp"
#include "http/uri.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace etage::cli {
namespace {

constexpr Duration patience = std::chrono::seconds(30);  // wait=all may take a while

int complain(const std::string& what, int code) {
    std::fprintf(stderr, "etage: %s\n", what.c_str());
    return code;
}

std::vector<std::string> admin_environment() {
    std::vector<std::string> out;
    for (const char* name : {"ETAGE_CONFIG", "ETAGE_ADMIN_LISTEN", "ETAGE_ADMIN_TOKEN"})
        if (const char* value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
    return out;
}

/// Where the running Etage of this configuration can be asked: what listens everywhere answers on loopback too.
std::expected<AdminAddress, std::string> configured_address(const Command& command) {
    auto sources = gateway::gather_sources(command.config, {}, admin_environment());
    if (!sources) return std::unexpected(sources.error().text());
    const auto config = gateway::load_config(*sources);
    if (!config) return std::unexpected(config.error().text());
    const http::ListenAddress& listen = config->admin.listen;
    const bool anywhere = listen.host.empty() || listen.host == "0.0.0.0" || listen.host == "::";
    return AdminAddress{anywhere ? "127.0.0.1" : listen.host, std::to_string(listen.port), config->admin.token};
}

std::expected<AdminAddress, std::string> find_admin(const Command& command) {
    std::expected<AdminAddress, std::string> address;
    if (command.admin.address) {
        address = parse_admin_address(*command.admin.address);
        const char* token = std::getenv("ETAGE_ADMIN_TOKEN");
        if (address && token != nullptr) address->token = token;
    } else {
        address = configured_address(command);
    }
    if (address && command.admin.token) address->token = *command.admin.token;
    return address;
}

/// Prints the answer: to stdout when it is one, to stderr when it is a refusal.
int ask_and_print(const Command& command, std::string_view method, const std::string& target,
                  const std::string& content) {
    const auto address = find_admin(command);
    if (!address) return complain(address.error(), 2);
    const auto reply = ask(*address, method, target, content, patience);
    if (!reply) return complain(reply.error(), 1);
    const bool fine = reply->status >= 200 && reply->status < 300;
    if (!fine) std::fprintf(stderr, "etage: %s answered %d\n", address->text().c_str(), reply->status);
    std::fputs(reply->content.c_str(), fine ? stdout : stderr);
    if (!reply->content.ends_with('\n')) std::fputc('\n', fine ? stdout : stderr);
    return fine ? 0 : 1;
}

void add_list(std::string& json, std::string_view name, const std::vector<std::string>& list) {
    if (list.empty()) return;
    json.append("\"").append(name).append("\":[");
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i != 0) json += ',';
        http::append_json_string(json, list[i]);
    }
    json += "],";
}

std::string purge_json(const PurgeFlags& flags) {
    std::string json = "{";
    add_list(json, "tags", flags.tags);
    add_list(json, "keys", flags.keys);
    add_list(json, "urls", flags.urls);
    add_list(json, "prefixes", flags.prefixes);
    add_list(json, "hosts", flags.hosts);
    if (flags.all) json += "\"all\":true,";
    if (flags.soft) json += "\"soft\":true,";
    json += "\"wait\":";
    http::append_json_string(json, flags.wait);
    return json + "}";
}

}  // namespace

int explain(const Command& command) {
    std::string target = "/explain?url=" + http::percent_encode(command.url);
    for (const std::string& header : command.headers) target += "&header=" + http::percent_encode(header);
    return ask_and_print(command, "GET", target, "");
}

int purge(const Command& command) {
    const PurgeFlags& flags = command.purge;
    const std::size_t named =
        flags.tags.size() + flags.keys.size() + flags.urls.size() + flags.prefixes.size() + flags.hosts.size();
    if (named == 0 && !flags.all)
        return complain("say what to purge: --tag, --url, --prefix, --key, --host or --all", 2);
    return ask_and_print(command, "POST", "/purge", purge_json(flags));
}

int reload(const Command& command) { return ask_and_print(command, "POST", "/reload", ""); }

int stats(const Command& command) { return ask_and_print(command, "GET", "/stats.json", ""); }

}  // namespace etage::cli
