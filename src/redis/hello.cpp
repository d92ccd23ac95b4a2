#include "redis/hello.hpp"

#include "redis/words.hpp"

#include <charconv>
#include <optional>

namespace etage::redis {

namespace {

/// The value of "name:value\r\n" in an answer to INFO; empty when it is not there.
std::string_view info_field(std::string_view info, std::string_view name) {
    while (!info.empty()) {
        const std::string_view line = info.substr(0, info.find("\r\n"));
        info.remove_prefix(std::min(line.size() + 2, info.size()));
        if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':')
            return line.substr(name.size() + 1);
    }
    return {};
}

/// Which reply answers what. Absent: not asked.
struct Plan {
    std::optional<std::size_t> auth, select, server, replication, ping;
    std::vector<Command> commands;

    Plan(const Options& options, Wanted wanted) {
        const Url& url = options.url;
        const bool data = wanted != Wanted::sentinel;
        // A Sentinel mostly has no password where the servers have one; it is told when it asks.
        if (data && !url.password.empty())
            auth = url.user.empty() ? say({"AUTH", url.password}) : say({"AUTH", url.user, url.password});
        // A name is a courtesy: the answer does not matter.
        if (!options.client_name.empty()) say({"CLIENT", "SETNAME", options.client_name});
        if (data && url.database > 0) select = say({"SELECT", std::to_string(url.database)});
        server = say({"INFO", "server"});
        if (data) replication = say({"INFO", "replication"});
        ping = say({"PING"});
    }

    std::size_t say(std::initializer_list<std::string_view> words) {
        commands.emplace_back("", words);
        return commands.size() - 1;
    }
};

Error refused(const std::string& name, const std::string& what) { return store_error(name + " " + what, false); }

Error no_rights(const std::string& name, const Reply& reply) {
    if (reply.is_error("NOAUTH"))
        return refused(name, "asks for a password: the URL has none (redis://user:password@host)");
    if (reply.is_error("NOPERM")) return refused(name, "does not let this user ask INFO and PING: " + reply.text);
    return store_error(name + ": " +
                       (reply.is(Reply::Kind::error) ? reply.text : "an unexpected answer to the greeting"));
}

}  // namespace

bool is_new_enough(std::string_view version) noexcept {
    int major = 0, minor = 0;
    const char* const end = version.data() + version.size();
    auto parsed = std::from_chars(version.data(), end, major);
    if (parsed.ec != std::errc{}) return false;
    if (parsed.ptr != end && *parsed.ptr == '.') std::from_chars(parsed.ptr + 1, end, minor);
    return major > 6 || (major == 6 && minor >= 2);
}

std::vector<Command> hello(const Options& options, Wanted wanted) { return Plan(options, wanted).commands; }

Result<Identity> judge_hello(const Options& options, Wanted wanted, const std::string& name,
                             std::span<const Reply> replies) {
    const Plan plan(options, wanted);
    if (replies.size() != plan.commands.size()) return std::unexpected(no_rights(name, {}));
    const auto reply = [&](std::optional<std::size_t> index) -> const Reply& { return replies[*index]; };

    if (plan.auth && reply(plan.auth).is(Reply::Kind::error))
        return std::unexpected(refused(name, "refuses user and password: " + reply(plan.auth).text));
    // It is told the password when it refuses the question itself.
    if (wanted == Wanted::sentinel && !options.url.password.empty() && reply(plan.server).is_error("NOAUTH"))
        return Identity{};
    if (!reply(plan.server).is(Reply::Kind::bulk)) return std::unexpected(no_rights(name, reply(plan.server)));
    const std::string_view info = reply(plan.server).text;
    Identity identity;
    identity.run_id = info_field(info, "run_id");
    identity.version = info_field(info, "redis_version");
    if (identity.version.empty())
        return std::unexpected(refused(name, "does not say which version it has: is it Redis?"));
    if (!is_new_enough(identity.version))
        return std::unexpected(store_error("Redis " + identity.version + " at " + name.substr(name.find(" at ") + 4) +
                                               " is too old: 6.2 or newer is needed",
                                           false));
    if (wanted == Wanted::sentinel) return identity;

    if (plan.select && reply(plan.select).is(Reply::Kind::error))
        return std::unexpected(
            refused(name, "has no database " + std::to_string(options.url.database) + ": " + reply(plan.select).text));
    if (!reply(plan.replication).is(Reply::Kind::bulk))
        return std::unexpected(no_rights(name, reply(plan.replication)));
    const std::string_view replication = reply(plan.replication).text;
    identity.replication = info_field(replication, "master_replid");
    identity.is_primary = info_field(replication, "role") == "master";
    if (wanted == Wanted::any_node) return identity;
    // It may become one while we wait: to be tried again.
    if (!identity.is_primary)
        return std::unexpected(store_error(name + " is a read-only replica of " +
                                           std::string(info_field(replication, "master_host")) + ":" +
                                           std::string(info_field(replication, "master_port"))));
    if (reply(plan.ping).is(Reply::Kind::error)) return std::unexpected(no_rights(name, reply(plan.ping)));  // LOADING
    return identity;
}

}  // namespace etage::redis
