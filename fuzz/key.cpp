// Two requests with one key are one request to the origin (law 1), and a request as it is forwarded has the key it was
// forwarded for.

#include "policy/key.hpp"
#include "flow/forwarded.hpp"
#include "http/h1_parser.hpp"

#include "fuzz.hpp"

#include <memory>
#include <string>
#include <vector>

using namespace etage;

namespace {

constexpr base::Hash128 secret{7, 7};

/// One of each kind of key.
const policy::Router& router() {
    static const policy::Router made = [] {
        using Query = KeyPolicy::Query;
        std::vector<RoutePolicy> routes(5);
        routes[0] = {.match = "/allow/**", .key = {.query_mode = Query::allow, .query = {"a", "b"}}};
        routes[1] = {.match = "/ignore/**", .key = {.query_mode = Query::ignore, .query = {"utm", "fbclid"}}};
        routes[2] = {.match = "/fields/**", .key = {.headers = {"x-tenant", "accept-language"}}};
        routes[3] = {.match = "/user/**", .cache = {.per = Per::user}};
        routes[4] = {.match = "/cookie/**", .cache = {.per = Per::user}, .identity = {.cookie = "sid"}};
        return policy::Router::compile(std::move(routes), {"origin"}).value();
    }();
    return made;
}

struct Asked {
    http::FieldSlots slots;
    http::RequestHead head;
    policy::Match match;
    std::string key;

    /// False: not a request, or it has no key.
    bool parse(std::string_view bytes) {
        http::HeadParser parser;
        if (parser.parse_request(bytes, slots, head).state != http::ParseState::complete || head.has_body())
            return false;
        if (head.method != http::Method::get && head.method != http::Method::head) return false;
        match = router().match(head.method, head.path);
        const auto identity = policy::identity_of(match.route, head);
        return policy::make_key(key, {head, match.route, "http", identity, secret});
    }

    flow::OriginRequest forwarded() const {
        return flow::origin_request(head, "http", "192.0.2.1", match, true, "1.1 etage");
    }
};

std::vector<std::string> values(const flow::OriginRequest& request, std::string_view name) {
    std::vector<std::string> out;
    for (const http::Field& field : request.fields.span())
        if (http::iequals(field.name, name)) out.emplace_back(field.value);
    return out;
}

void require_same(const Asked& one, const Asked& other) {
    const auto a = one.forwarded();
    const auto b = other.forwarded();
    fuzz::require(a.target == b.target && a.authority == b.authority && a.method_text == b.method_text &&
                  a.method == b.method && a.route == b.route);
    if (a.route == nullptr) return;
    for (const std::string& name : a.route->policy.key.headers) fuzz::require(values(a, name) == values(b, name));
    if (a.route->policy.cache.per != Per::user) return;
    const auto identity = policy::identity_of(a.route, one.head);
    const auto another = policy::identity_of(b.route, other.head);
    fuzz::require(identity.present == another.present && identity.text == another.text);
    if (identity.present)  // whoever sends the first line of it is who is meant
        fuzz::require(http::find(a.fields, http::FieldId::authorization) ==
                      http::find(b.fields, http::FieldId::authorization));
}

/// Asked for as it is forwarded, it has the same key.
void require_fixed(const Asked& asked) {
    const auto request = asked.forwarded();
    std::string bytes = "GET " + request.target + " HTTP/1.1\r\nHost: " + request.authority + "\r\n";
    for (const http::Field& field : asked.head.fields)
        if (field.id != http::FieldId::host) ((bytes.append(field.name) += ": ").append(field.value)) += "\r\n";
    bytes += "\r\n";
    const auto again = std::make_unique<Asked>();
    if (asked.head.authority.empty()) return;  // HTTP/1.0 without Host
    const bool parsed = again->parse(bytes);
    // Longer by a Host that was not there, or by escapes, it may be too long.
    if (!parsed && bytes.size() > 4000) return;
    fuzz::require(parsed && again->key == asked.key && again->forwarded().target == request.target);
}

}  // namespace

/// Two requests, with a zero byte between them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::text_of(data, size);
    const auto middle = std::min(bytes.find('\0'), bytes.size());
    const auto one = std::make_unique<Asked>();
    const auto other = std::make_unique<Asked>();
    if (!one->parse(bytes.substr(0, middle))) return 0;
    require_fixed(*one);
    if (middle == bytes.size() || !other->parse(bytes.substr(middle + 1))) return 0;
    require_fixed(*other);
    if (one->key == other->key) require_same(*one, *other);
    return 0;
}
