#include "account_api.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <memory>

namespace etage::demo {

namespace {

using namespace std::chrono_literals;
using json = nlohmann::ordered_json;

constexpr std::size_t user_bytes_max = 64;

Response unauthorized() {
    return Response::problem(401, "", "say who you are: Authorization: Bearer NAME")
        .header("WWW-Authenticate", "Bearer realm=\"etage demo\"")
        .cache_control("no-store");
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= user_bytes_max && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    });
}

}  // namespace

std::optional<std::string> user_of(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";  // compared without case (RFC 9110 §11.1)
    const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
    if (authorization.size() <= scheme.size() ||
        !std::ranges::equal(authorization.substr(0, scheme.size()), scheme, same))
        return std::nullopt;
    const auto name = authorization.substr(scheme.size());
    if (!is_name(name)) return std::nullopt;
    return std::string(name);
}

void declare_account(Server& server) {
    server.route("GET /protected",
                 {.cache = {.pass = true}, .limits = {{.name = "protected", .quota = 120, .window = 60s}}},
                 [] { return Response::json(json{{"ok", true}}).cache_control("no-store"); });

    // How often anybody's page was made: it stands still while the answer comes from the shelf.
    const auto made = std::make_shared<std::atomic<std::int64_t>>(0);
    server.route("GET /me", {.cache = {.ttl = 30s, .per = Per::user}}, [made](const Request& request) {
        const auto user = user_of(request.identity().value_or(""));
        if (!user) return unauthorized();
        return Response::json(json{{"user", *user}, {"made", ++*made}}).tag("user:" + *user);
    });
}

}  // namespace etage::demo
