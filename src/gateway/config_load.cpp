#include "gateway/config_load.hpp"

#include "gateway/config_env.hpp"
#include "gateway/config_limits.hpp"
#include "gateway/config_origin.hpp"
#include "gateway/config_read.hpp"
#include "gateway/config_routes.hpp"
#include "gateway/config_settings.hpp"
#include "gateway/config_toml.hpp"
#include "http/h1_writer.hpp"
#include "policy/route.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>

namespace etage::gateway {
namespace {

constexpr std::string_view config_variable = "ETAGE_CONFIG";

/// Applies one source after the other, the weakest first, and remembers who had the last word on each setting.
class Loader {
public:
    std::expected<Config, Problems> load(const Sources& sources);

private:
    void apply(const Setting& setting, const Node& node) {
        setting.set(config_, node, problems_);
        spoke_[setting.path()] = {{}, node.where, node.name};
    }
    void apply_file(const SourceText& file);
    void apply_section(const Member& member);
    void apply_origins(const Node& table);
    void apply_variables(const Variables& variables);
    void apply_flag(const Flag& flag);
    void read_the_routes();
    void check_together();
    bool spoke(const std::string& path) const { return spoke_.contains(path); }
    /// Where to point: at whoever set it, or at nobody when it is the default.
    void blame(const std::string& path, std::string_view what) {
        const auto found = spoke_.find(path);
        if (found != spoke_.end())
            problems_.add(found->second, what);
        else
            problems_.add("", path + ": " + std::string(what));
    }

    Config config_;
    Problems problems_;
    std::map<std::string, Node> spoke_;
    std::optional<Node> routes_;
};

std::expected<Config, Problems> Loader::load(const Sources& sources) {
    if (sources.file) apply_file(*sources.file);
    if (sources.dotenv) apply_variables(read_dotenv(sources.dotenv->text, sources.dotenv->name, problems_));
    apply_variables(read_environment(sources.environment));
    for (const Flag& flag : sources.flags) apply_flag(flag);
    read_the_routes();
    check_together();
    if (!problems_.empty()) return std::unexpected(std::move(problems_));
    return std::move(config_);
}

void Loader::apply_file(const SourceText& file) {
    const auto document = parse_toml(file.text, file.name, problems_);
    if (!document) return;
    for (const Member& member : std::get<Node::Table>(document->value)) {
        if (member.key == "route")
            routes_ = member.node;
        else if (member.key == "limit")
            config_.limits = read_limits(member.node, "[[limit]]", problems_);
        else if (member.key == "origins")
            apply_origins(member.node);
        else
            apply_section(member);
    }
}

void Loader::apply_section(const Member& member) {
    const auto section = std::ranges::find(sections(), member.key, &Section::name);
    if (section == sections().end()) {
        std::vector<std::string_view> names = {"route", "limit", "origins"};
        for (const Section& each : sections()) names.push_back(each.name);
        problems_.add(member.where, "unknown section \"" + member.key + "\"" + suggestion(member.key, names));
        return;
    }
    const Node::Table* members = read_members(member.node, problems_);
    if (members == nullptr) return;
    for (const Member& inner : *members) {
        if (const auto known = setting(member.key, inner.key))
            apply(*known, inner.node);
        else
            unknown_key(inner, member.node, section->keys, problems_);
    }
}

void Loader::apply_origins(const Node& table) {
    const Node::Table* members = read_members(table, problems_);
    if (members == nullptr) return;
    for (const Member& member : *members) {
        OriginConfig origin;
        origin.name = member.key;
        const auto before = problems_.lines().size();
        read_origin(origin, member.node, problems_);
        if (problems_.lines().size() != before) continue;
        if (!http::is_token(member.key))
            problems_.add(member.where, "\"" + member.key + "\" is no name; use letters, digits, '-' and '_'");
        else if (member.key == config_.origins.front().name)
            problems_.add(member.where, "the default origin is written [origin]");
        else if (origin.urls.empty())
            problems_.add(member.where, member.node.name + " needs urls, like urls = [\"http://127.0.0.1:8000\"]");
        else if (const auto mistake = settle(origin))
            problems_.add(member.where, member.node.name + "." + std::string(mistake->key) + ": " + mistake->what);
        else
            config_.origins.push_back(std::move(origin));
    }
}

void Loader::apply_variables(const Variables& given) {
    for (const Node& variable : given) {
        if (variable.name == config_variable) continue;  // gather_sources has followed it
        if (const auto known = setting_of_variable(variable.name)) {
            apply(*known, variable);
            continue;
        }
        std::vector<std::string> names = variables();
        names.emplace_back(config_variable);
        const std::vector<std::string_view> views(names.begin(), names.end());
        const auto hint = suggestion(variable.name, views);
        // The list of all variables would hide the message.
        problems_.add(variable.where, "unknown variable " + variable.name +
                                          (hint.contains('?') ? hint : "; `etage check --list` names them all"));
    }
}

void Loader::apply_flag(const Flag& flag) {
    // A program that embeds Etage gives settings too, without dashes.
    const std::string where = flag.name.starts_with("-") ? "command line" : "program";
    const auto dot = flag.setting.find('.');
    const auto known =
        dot == std::string::npos ? std::nullopt : setting(flag.setting.substr(0, dot), flag.setting.substr(dot + 1));
    if (!known) return problems_.add(where, flag.name + ": there is no setting \"" + flag.setting + "\"");
    Node node{{}, where, flag.name, true};
    if (flag.values.size() == 1) {
        node.value = flag.values.front();
    } else {
        Node::List list;
        for (const auto& value : flag.values) list.push_back({value, where, flag.name, true});
        node.value = std::move(list);
    }
    apply(*known, node);
}

void Loader::read_the_routes() {
    if (!routes_) return;
    const auto names = config_.origin_names();
    config_.routes = read_routes(*routes_, names, problems_);
    if (!problems_.empty()) return;
    if (const auto together = policy::Router::compile(config_.routes, names); !together)
        problems_.add(routes_->where, together.error().what);
    else if (config_.default_ttl)
        apply_default_ttl(config_.routes, names, *config_.default_ttl);
}

void Loader::check_together() {
    const http::ListenAddress& admin = config_.admin.listen;
    if (!is_loopback(admin) && config_.admin.token.empty())
        blame("admin.listen",
              admin.text() + " can be reached from other machines; set [admin] token, or listen on 127.0.0.1");
    for (const http::ListenAddress& address : config_.server.listen)
        if (admin.port != 0 && admin.port == address.port && admin.host == address.host)
            blame(spoke("admin.listen") ? "admin.listen" : "server.listen",
                  admin.text() + " is the address of both clients and administration; give them different ones");
    if (config_.server.proxy_protocol != serve::ProxyProtocol::off && config_.server.trusted_proxies.empty())
        blame("server.proxy_protocol",
              "nobody is trusted to say who their client is; name the proxies in server.trusted_proxies");
    if (config_.memory.entry_max > config_.memory.limit) {
        if (spoke("memory.entry_max"))
            blame("memory.entry_max", "is larger than memory.limit: such an entry never fits");
        else
            config_.memory.entry_max = config_.memory.limit;
    }
    if (const auto mistake = settle(config_.origins.front()))
        blame("origin." + std::string(mistake->key), mistake->what);
}

/// Also from a pipe; a directory opens like a file and reads like an empty one, so it is asked for first.
std::optional<std::string> read_file(const std::string& path) {
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown)) return std::nullopt;
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    std::string text{std::istreambuf_iterator<char>(in), {}};
    return in.bad() ? std::nullopt : std::optional(std::move(text));
}

std::optional<std::string> config_of(const Variables& variables) {
    const auto found = std::ranges::find(variables, config_variable, &Node::name);
    return found == variables.end() ? std::nullopt : std::optional(std::get<std::string>(found->value));
}

}  // namespace

std::expected<Sources, Problems> gather_sources(const std::optional<std::string>& config, std::vector<Flag> flags,
                                                std::vector<std::string> environment, const std::string& directory) {
    Sources sources{{}, {}, std::move(environment), std::move(flags)};
    if (auto text = read_file(directory + "/.env")) sources.dotenv = SourceText{".env", std::move(*text)};

    std::optional<std::string> path = config;
    if (!path) path = config_of(read_environment(sources.environment));
    if (Problems later; !path && sources.dotenv) path = config_of(read_dotenv(sources.dotenv->text, ".env", later));
    if (!path) return sources;

    auto text = read_file(*path);
    if (!text) {
        Problems problems;
        problems.add(*path, "cannot be read; does the file exist, and may we read it?");
        return std::unexpected(std::move(problems));
    }
    sources.file = SourceText{*path, std::move(*text)};
    return sources;
}

std::expected<Config, Problems> load_config(const Sources& sources) { return Loader().load(sources); }

Problems check_runnable(const Config& config) {
    Problems problems;
    if (config.origins.front().urls.empty())
        problems.add("",
                     "no origin: say --origin http://127.0.0.1:8000, or write [origin] urls, or set ETAGE_ORIGIN_URLS");
    if (config.default_ttl && config.routes.empty())
        problems.add("",
                     "default.ttl is the ttl of routes, and there are none: write [[route]] match = \"GET /**\" in a "
                     "configuration file");
    return problems;
}

bool is_loopback(const http::ListenAddress& address) {
    asio::error_code failed;
    const auto ip = asio::ip::make_address(address.host, failed);
    if (failed) return false;
    if (ip.is_v6() && ip.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, ip.to_v6()).is_loopback();
    return ip.is_loopback();
}

}  // namespace etage::gateway
