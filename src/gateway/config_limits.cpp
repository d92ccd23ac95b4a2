#include "gateway/config_limits.hpp"

#include "flow/gate.hpp"
#include "gateway/config_read.hpp"
#include "http/token.hpp"
#include "limit/share.hpp"
#include "net/network.hpp"

#include <algorithm>

namespace etage::gateway {
namespace {

using Algorithm = LimitPolicy::Algorithm;
using By = LimitPolicy::By;
using Cost = LimitPolicy::Cost;

/// Per window: arithmetic in nanoseconds stays exact far beyond, and a structured field holds it (RFC 9651 §3.3.1).
constexpr std::uint64_t quota_max = 1'000'000'000'000;
constexpr std::uint64_t seats_max = 1'000'000;

/// What stands in a limit, and what only makes sense together.
struct Draft {
    LimitPolicy limit;
    bool rate_is_in_bytes = false;
};

void set_name(Draft& to, const Node& node, Problems& problems) {
    const auto text = read_text(node, problems);
    if (!text) return;
    if (!http::is_token(*text))
        problems.add(node, "\"" + *text + "\" is no name; use letters, digits, '-' and '_'");
    else if (text->size() > flow::limit_name_bytes_max)
        problems.add(node, "is longer than " + std::to_string(flow::limit_name_bytes_max) +
                               " characters; it is sent with every answer");
    else
        to.limit.name = *text;  // it stands in RateLimit-Policy, between quotes
}

void set_rate(Draft& to, const Node& node, Problems& problems) {
    const auto text = read_text(node, problems);
    if (!text) return;
    const auto rate = parse_rate(*text);
    if (!rate) return problems.add(node, rate.error());
    if (rate->quota > quota_max) return problems.add(node, "\"" + *text + "\" is no limit at all; leave it out");
    to.limit.quota = rate->quota;
    to.limit.window = rate->window;
    to.rate_is_in_bytes = rate->in_bytes;
}

/// "120", or "1MiB" beside a rate in bytes.
std::optional<std::uint64_t> read_amount(const Node& node, Problems& problems) {
    if (std::holds_alternative<std::string>(node.value)) return read_size(node, problems, 1, quota_max);
    return read_count(node, problems, 1, quota_max);
}

template <class E, std::size_t N>
std::optional<E> read_word_or_name(const Node& node, Problems& problems, const Word<E> (&words)[N], std::string& name) {
    const auto text = read_text(node, problems);
    if (!text) return std::nullopt;
    const auto colon = text->find(':');
    for (const auto& [word, value] : words) {
        if (!word.ends_with(":NAME") || colon == std::string::npos || text->substr(0, colon + 1) + "NAME" != word)
            continue;
        if (text->substr(colon) == ":NAME") {
            problems.add(node, "put the real name in place of NAME, like \"header:x-api-key\"");
            return std::nullopt;
        }
        auto read = read_field_name({text->substr(colon + 1), node.where, node.name}, problems);
        if (!read) return std::nullopt;
        name = std::move(*read);
        return value;
    }
    return read_word(node, problems, words);
}

void set_by(Draft& to, const Node& node, Problems& problems) {
    static constexpr Word<By> words[] = {{"ip", By::ip},
                                         {"user", By::user},
                                         {"route", By::route},
                                         {"everyone", By::everyone},
                                         {"header:NAME", By::header},
                                         {"cookie:NAME", By::cookie}};
    keep(to.limit.by, read_word_or_name(node, problems, words, to.limit.by_name));
}

void set_cost(Draft& to, const Node& node, Problems& problems) {
    static constexpr Word<Cost> words[] = {{"response-bytes", Cost::response_bytes},
                                           {"header:NAME", Cost::request_header},
                                           {"response-header:NAME", Cost::response_header}};
    if (!std::holds_alternative<std::string>(node.value))
        keep(to.limit.cost, read_count(node, problems, 1, quota_max));
    else
        keep(to.limit.cost_by, read_word_or_name(node, problems, words, to.limit.cost_name));
}

constexpr Word<Algorithm> algorithms[] = {{"token_bucket", Algorithm::token_bucket},
                                          {"fixed_window", Algorithm::fixed_window},
                                          {"sliding_window", Algorithm::sliding_window},
                                          {"concurrency", Algorithm::concurrency}};
constexpr Word<LimitPolicy::Count> counts[] = {{"all", LimitPolicy::Count::all},
                                               {"misses", LimitPolicy::Count::misses}};
constexpr Word<LimitPolicy::Outage> outages[] = {{"local", LimitPolicy::Outage::local},
                                                 {"open", LimitPolicy::Outage::open},
                                                 {"closed", LimitPolicy::Outage::closed}};

constexpr Key<Draft> limit_keys[] = {
    {"name", set_name},
    {"rate", set_rate},
    {"burst", [](Draft& d, const Node& n, Problems& p) { keep(d.limit.burst, read_amount(n, p)); }},
    {"max", [](Draft& d, const Node& n, Problems& p) { keep(d.limit.max, read_count(n, p, 1, seats_max)); }},
    {"by", set_by},
    {"cost", set_cost},
    {"count", [](Draft& d, const Node& n, Problems& p) { keep(d.limit.count, read_word(n, p, counts)); }},
    {"allow", [](Draft& d, const Node& n, Problems& p) { keep(d.limit.allow, read_list(n, p)); }},
    {"deny", [](Draft& d, const Node& n, Problems& p) { keep(d.limit.deny, read_list(n, p)); }},
    {"algorithm", [](Draft& d, const Node& n, Problems& p) { keep(d.limit.algorithm, read_word(n, p, algorithms)); }},
    {"outage", [](Draft& d, const Node& n, Problems& p) { keep(d.limit.outage, read_word(n, p, outages)); }},
    {"lease", [](Draft& d, const Node& n, Problems& p) { keep(d.limit.lease, read_count(n, p, 1, limit::lease_max)); }},
    {"retry_jitter", [](Draft& d, const Node& n, Problems& p) { keep(d.limit.retry_jitter, read_duration(n, p)); }},
    {"dry_run", [](Draft& d, const Node& n, Problems& p) { keep(d.limit.dry_run, read_flag(n, p)); }},
};

/// What is wrong with the whole, and what to write; empty: nothing.
std::string mistake_in(const Draft& draft) {
    const LimitPolicy& limit = draft.limit;
    const bool has_lists = !limit.allow.empty() || !limit.deny.empty();
    if (limit.name.empty()) return "a limit needs a name: clients read it in RateLimit-Policy";
    if (limit.algorithm == Algorithm::concurrency) {
        if (limit.max == 0) return "concurrency needs max, the number of requests at once, like max = 5";
        if (limit.quota != 0 || limit.burst != 0) return "concurrency counts requests in flight: it has max, no rate";
        if (limit.cost_by != Cost::fixed || limit.cost != 1) return "concurrency counts requests in flight: no cost";
        if (limit.count != LimitPolicy::Count::all) return "concurrency counts all requests, hits too";
    } else {
        if (limit.quota == 0) return "a limit needs a rate, like rate = \"120/min\"";
        if (limit.max != 0) return "max is of algorithm = \"concurrency\"; others have a rate";
        if (limit.burst != 0 && limit.algorithm != Algorithm::token_bucket)
            return "burst is of the token bucket; a window lets in its whole rate at once";
        const std::uint64_t most =
            limit.algorithm == Algorithm::token_bucket && limit.burst != 0 ? limit.burst : limit.quota;
        if (limit.cost > most) return "a request that costs more than fits at once is never let in";
    }
    if (draft.rate_is_in_bytes && limit.cost_by != Cost::response_bytes)
        return "a rate in bytes needs cost = \"response-bytes\"";
    if (has_lists && (limit.by == By::route || limit.by == By::everyone))
        return "allow and deny name clients; this limit has none: all share it";
    return {};
}

/// Addresses are networks; everything else is taken as it stands.
void check_lists(const LimitPolicy& limit, const Node& element, Problems& problems) {
    if (limit.by != By::ip) return;
    for (const auto* list : {&limit.allow, &limit.deny})
        for (const std::string& text : *list)
            if (const auto network = net::parse_network(text); !network) problems.add(element, network.error());
}

}  // namespace

std::optional<std::string> read_field_name(const Node& node, Problems& problems) {
    auto text = read_text(node, problems);
    if (text && !http::is_token(*text)) {
        problems.add(node, "\"" + *text + "\" cannot be the name of a header field or cookie");
        return std::nullopt;
    }
    return text;
}

std::vector<LimitPolicy> read_limits(const Node& list, std::string_view whose, Problems& problems) {
    std::vector<LimitPolicy> limits;
    const auto* elements = std::get_if<Node::List>(&list.value);
    if (elements == nullptr) {
        problems.add(list, "expected a list of tables, like [{ name = \"burst\", rate = \"120/min\" }]");
        return limits;
    }
    std::size_t concurrent = 0;
    for (const Node& element : *elements) {
        Draft draft;
        const auto before = problems.lines().size();
        read_table(draft, element, problems, limit_keys);
        if (problems.lines().size() != before) continue;
        const std::string mistake = mistake_in(draft);
        LimitPolicy& limit = draft.limit;
        concurrent += limit.algorithm == Algorithm::concurrency ? 1 : 0;
        if (!mistake.empty())
            problems.add(element, mistake);
        else if (std::ranges::any_of(limits, [&](const auto& other) { return other.name == limit.name; }))
            problems.add(element, "the name \"" + limit.name + "\" is taken by another limit here");
        else if (limits.size() == flow::limits_per_route_max)
            problems.add(element, std::string(whose) + " takes " + std::to_string(flow::limits_per_route_max) +
                                      " limits; the ones behind would not be asked");
        else if (concurrent > 1)
            problems.add(element, std::string(whose) + " takes one limit of concurrency");
        else {
            check_lists(limit, element, problems);
            limits.push_back(std::move(limit));
        }
    }
    return limits;
}

}  // namespace etage::gateway
