#include "demo.hpp"

#include "account_api.hpp"
#include "admin_api.hpp"
#include "jobs.hpp"
#include "posts_api.hpp"
#include "posts_store.hpp"
#include "quotes_api.hpp"

#include <etage/server.hpp>

#include <iostream>

namespace etage::demo {

namespace {

std::string database_text(const DemoOptions& options) {
    if (options.db.empty()) return "in memory, gone at the end (--db FILE keeps it)";
    return "in " + options.db;
}

void welcome(const DemoOptions& options, const Addresses& addresses) {
    const std::string api = "http://" + addresses.listen.front();
    const std::string admin = "http://" + addresses.admin;
    std::cerr << "\nThe posts are " << database_text(options) << ".\n"
              << "  API        " << api << "/posts\n"
              << "  dashboard  " << admin << "/\n"
              << "  metrics    " << admin << "/metrics\n"
              << "\nTry each twice, and look at Cache-Status:\n"
              << "  curl -i '" << api << "/posts?limit=3'\n"
              << "  curl -i -X PATCH -d '{\"title\":\"fresh\"}' " << api
              << "/posts/2   # the list above shows it at once\n"
              << "  curl -i " << api << "/limits/me     # what is left to you; a page in a browser\n"
              << "  curl -i " << api << "/quotes/ACME   # 150 ms and 0.002 USD the first time, nothing the second\n";
    if (options.slow_ms == 0) std::cerr << "\n--slow-ms 300 makes the database slow, so that the cache can be felt.\n";
    std::cerr << std::endl;
}

}  // namespace

int run(const DemoOptions& options) {
    auto store = PostsStore::open({.file = options.db, .slow = std::chrono::milliseconds(options.slow_ms)});
    if (!store) {
        std::cerr << "etage demo: " << store.error() << '\n';
        return 1;
    }
    QuotesApi quotes;
    ServerOptions with_page = options.server;
    with_page.settings.push_back({"limits page", "server.limits_page", {"/limits/me"}});
    Server server(with_page);
    Jobs jobs;  // after the server: a job that is running uses it
    declare_posts(server, **store);
    declare_admin(server, jobs);
    declare_account(server);
    declare_quotes(server, quotes);
    server.on_ready([&options](const Addresses& addresses) { welcome(options, addresses); });
    return server.run();
}

}  // namespace etage::demo
