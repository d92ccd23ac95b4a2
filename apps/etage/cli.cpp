#include "cli.hpp"

#include <etage/version.hpp>

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <utility>

namespace etage::cli {
namespace {

constexpr const char* about =
    "Etage keeps an HTTP API's answers on the right floor, and never serves one that has been invalidated.";

constexpr const char* about_run = R"(Run the gateway in front of an origin.

Without a configuration file it is a plain standards cache: explicit freshness and heuristics, no default TTL.

  etage run --origin http://127.0.0.1:8000
  etage run --config etage.toml --listen 0.0.0.0:8080
  ETAGE_ORIGIN_URLS=http://api:8000 etage run

Settings: flag > environment (ETAGE_<SECTION>_<KEY>) > .env > file > default; `etage check --list` names them all.
SIGTERM stops it: no new connections, what is in flight is finished.)";

constexpr const char* about_demo = R"(Run the demo: a small posts API with Etage in front, in one process.

  etage demo
  curl -i http://127.0.0.1:8080/posts     twice, and look at Cache-Status
  http://127.0.0.1:8081/                  in a browser: what it counts)";

constexpr const char* about_check = R"(Check a configuration, or what a live server says about caching.

  etage check --config etage.toml         "ok: 4 routes", with advice on them; or errors and exit code 2
  etage check --url http://127.0.0.1:8080/posts
                                          asks the server a few times and judges the answers
  etage check --list                      all settings and their environment variables
  etage check --rules                     all rules; docs/check.md explains them

Without --config: the file that ETAGE_CONFIG names, else etage.toml if there is one.
Exit code 1: an error was found, or with --strict a warning, or the URL did not answer.)";

constexpr const char* about_explain = R"(Ask a running Etage what it would do with a GET, and why.

  etage explain /posts?limit=10
  etage explain https://api.example.com/posts -H 'Accept-Encoding: br' -H 'Authorization: Bearer x')";

constexpr const char* about_purge = R"(Invalidate stored responses, in constant time however many they are.

  etage purge --tag posts --tag posts:cat:news
  etage purge --url https://api.example.com/posts?limit=10
  etage purge --prefix /posts --soft      stale instead of gone
  etage purge --all

Prints the position in the log: a read that sends it as Etage-Min-Seq is answered after this purge only.)";

constexpr const char* about_reload =
    R"(Make a running Etage read its configuration again and apply it, whole or not at all.

  etage reload
  kill -HUP PID                           the same; what became of it stands in the log

No connection is dropped, and what is stored stays. Something wrong with it: it is printed, with file, line and column,
nothing changes, and the exit code is 1. Addresses to listen on, threads, memory and Redis need a restart.)";

constexpr const char* about_stats = R"(Print the counters of a running Etage as JSON.

  etage stats
  etage stats | jq .hit_ratio)";

/// A flag that stands for a setting; several values make a list.
class SettingFlags {
public:
    void add(CLI::App& app, std::string name, std::string setting, const std::string& type, const std::string& help) {
        auto values = std::make_shared<std::vector<std::string>>();
        app.add_option(name, *values, help)->type_name(type)->expected(1)->take_all();
        all_.push_back({std::move(name), std::move(setting), std::move(values)});
    }
    void collect(std::vector<gateway::Flag>& out) const {
        for (const auto& [name, setting, values] : all_)
            if (!values->empty()) out.push_back({name, setting, *values});
    }

private:
    struct One {
        std::string name;
        std::string setting;
        std::shared_ptr<std::vector<std::string>> values;
    };
    std::vector<One> all_;
};

std::string not_empty(const std::string& text) { return text.empty() ? "must not be empty" : ""; }

class Parser {
public:
    std::expected<Command, int> parse(int argc, const char* const* argv);

private:
    CLI::App& verb(Verb verb, const char* name, const char* short_help, const char* long_help);
    void admin_flags(CLI::App& app);
    CLI::Option* add_header(CLI::App& app, const char* help);
    void add_run();
    void add_demo();
    void add_check();
    void add_explain();
    void add_purge();
    void add_reload();
    void add_stats();

    CLI::App app_{about, "etage"};
    Command command_;
    SettingFlags run_flags_;
    SettingFlags demo_flags_;
};

CLI::App& Parser::verb(Verb verb, const char* name, const char* short_help, const char* long_help) {
    CLI::App& sub = *app_.add_subcommand(name, short_help);
    sub.footer(long_help);
    sub.callback([this, verb] { command_.verb = verb; });
    return sub;
}

void add_common(SettingFlags& flags, CLI::App& app) {
    flags.add(app, "--listen", "server.listen", "ADDR", "where clients connect, like 127.0.0.1:8080; may be repeated");
    flags.add(app, "--admin", "admin.listen", "ADDR", "administration, metrics and status page, like 127.0.0.1:8081");
    flags.add(app, "--redis", "redis.url", "URL",
              "shared tier and log of invalidations, like redis://127.0.0.1:6379/0");
    flags.add(app, "--threads", "server.threads", "N", "event loops; 0 = one per CPU");
}

void Parser::add_run() {
    CLI::App& sub = verb(Verb::run, "run", "run the gateway in front of an origin", about_run);
    run_flags_.add(sub, "--origin", "origin.urls", "URL", "who answers what is not stored; may be repeated");
    add_common(run_flags_, sub);
    sub.add_option("--config", command_.config, "configuration file (TOML)")->type_name("FILE");
}

void Parser::add_demo() {
    CLI::App& sub = verb(Verb::demo, "demo", "run a small posts API with Etage in front", about_demo);
    add_common(demo_flags_, sub);
    sub.add_option("--db", command_.db, "SQLite file of the posts; without one, in memory")->type_name("FILE");
    sub.add_option("--config", command_.config, "configuration file (TOML) instead of the built-in one")
        ->type_name("FILE");
    sub.add_option("--slow-ms", command_.slow_ms, "make the database take that long")->type_name("MS");
}

void Parser::add_check() {
    CLI::App& sub = verb(Verb::check, "check", "check a configuration, or a live server", about_check);
    CheckFlags& check = command_.check;
    auto* config = sub.add_option("--config", command_.config, "configuration file (TOML)")->type_name("FILE");
    auto* url = sub.add_option("--url", command_.url, "ask this URL instead, and judge its answers")
                    ->type_name("URL")
                    ->check(not_empty)
                    ->excludes(config);
    add_header(sub, "a header field of the requests, 'Name: value'; may be repeated")->needs(url);
    sub.add_flag("--strict", check.strict, "exit code 1 for warnings, too");
    sub.add_flag("--json", check.json, "what is found (or the rules) as JSON");
    auto* list = sub.add_flag("--list", check.list, "list all settings and their environment variables")->excludes(url);
    sub.add_flag("--rules", check.rules, "list all rules")->excludes(url)->excludes(list);
}

void Parser::admin_flags(CLI::App& app) {
    app.add_option("--admin", command_.admin.address,
                   "administration of the running Etage [ETAGE_ADMIN_LISTEN, else 127.0.0.1:8081]")
        ->type_name("ADDR");
    app.add_option("--token", command_.admin.token, "admin token [ETAGE_ADMIN_TOKEN]")->type_name("TOKEN");
    app.add_option("--config", command_.config, "configuration file to take both from")->type_name("FILE");
}

CLI::Option* Parser::add_header(CLI::App& app, const char* help) {
    return app.add_option("-H,--header", command_.headers, help)->type_name("FIELD")->expected(1)->take_all();
}

void Parser::add_explain() {
    CLI::App& sub = verb(Verb::explain, "explain", "say what would happen to a GET, and why", about_explain);
    sub.add_option("URL", command_.url, "URL, or path")->required()->type_name("");
    add_header(sub, "a header field of the request, 'Name: value'; may be repeated");
    admin_flags(sub);
}

void Parser::add_purge() {
    CLI::App& sub = verb(Verb::purge, "purge", "invalidate stored responses", about_purge);
    PurgeFlags& purge = command_.purge;
    const auto list = [&](const char* name, std::vector<std::string>& into, const char* type, const char* help) {
        sub.add_option(name, into, help)->type_name(type)->expected(1)->take_all();
    };
    list("--tag", purge.tags, "TAG", "everything with this tag; may be repeated, like all of these");
    list("--url", purge.urls, "URL", "one URL, every variant of it");
    list("--prefix", purge.prefixes, "PREFIX", "everything below a path");
    list("--key", purge.keys, "KEY", "one cache key, as `etage explain` shows it");
    list("--host", purge.hosts, "HOST", "everything of a host");
    sub.add_flag("--all", purge.all, "everything");
    sub.add_flag("--soft", purge.soft, "make stale instead of removing");
    sub.add_option("--wait", purge.wait, "until this instance (local) or all have applied it")
        ->check(CLI::IsMember({"local", "all"}))
        ->type_name("SCOPE");
    admin_flags(sub);
}

void Parser::add_reload() {
    admin_flags(verb(Verb::reload, "reload", "make a running Etage apply its configuration anew", about_reload));
}

void Parser::add_stats() {
    admin_flags(verb(Verb::stats, "stats", "print the counters of a running Etage", about_stats));
}

std::expected<Command, int> Parser::parse(int argc, const char* const* argv) {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "etage " + std::string(version), "print the version");
    app_.footer(
        "Exit codes: 0 fine, 1 failed at run time, 2 bad usage or configuration. `etage COMMAND --help` says more.");
    add_run();
    add_demo();
    add_check();
    add_explain();
    add_purge();
    add_reload();
    add_stats();
    try {
        app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app_.exit(error, std::cout, std::cerr);
        return std::unexpected(code == 0 ? 0 : 2);
    }
    run_flags_.collect(command_.settings);
    demo_flags_.collect(command_.settings);
    return std::move(command_);
}

}  // namespace

std::expected<Command, int> parse(int argc, const char* const* argv) { return Parser().parse(argc, argv); }

}  // namespace etage::cli
