#include "gateway/explain.hpp"

#include "base/clock.hpp"
#include "flow/equivalents.hpp"
#include "flow/tags.hpp"
#include "http/cache_control.hpp"
#include "http/h1_parser.hpp"
#include "http/vary.hpp"
#include "policy/key.hpp"
#include "policy/reuse.hpp"

#include <nlohmann/json.hpp>

#include <memory>

namespace etage::gateway {

namespace {

using nlohmann::json;

/// The imagined request goes through the same parser as a real one: what the parser refuses cannot be explained away.
std::string request_text(const ExplainRequest& request) {
    std::string host = "localhost";
    std::string target = request.url;
    if (const auto scheme = target.find("://"); scheme != std::string::npos) {
        const auto path = target.find('/', scheme + 3);
        host = target.substr(scheme + 3, path == std::string::npos ? path : path - scheme - 3);
        target = path == std::string::npos ? "/" : target.substr(path);
    }
    std::string text = "GET " + target + " HTTP/1.1\r\n";
    bool has_host = false;
    for (const http::Field& field : request.fields.span()) {
        text += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
        has_host = has_host || field.id == http::FieldId::host;
    }
    if (!has_host) text += "Host: " + host + "\r\n";
    return text + "\r\n";
}

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

std::string_view validity_name(coherence::Validity v) {
    switch (v) {
        case coherence::Validity::valid: return "valid";
        case coherence::Validity::stale: return "soft-invalidated";
        case coherence::Validity::unsure: return "unconfirmed";
        case coherence::Validity::gone: return "invalidated";
    }
    return "";
}

std::string_view reuse_name(policy::Reuse r) {
    switch (r) {
        case policy::Reuse::fresh: return "fresh";
        case policy::Reuse::stale_while: return "stale-while-revalidate";
        case policy::Reuse::validate: return "validate";
    }
    return "";
}

json describe_entry(const store::Entry& entry, coherence::Validity valid, Now now) {
    const store::EntryParts& parts = entry.parts();
    json codings = json::array();
    for (std::size_t i = 0; i < http::coding_count; ++i) {
        const auto coding = static_cast<http::Coding>(i);
        const store::Representation& r = entry.representation(coding);
        if (!parts.codings.has(coding)) continue;
        codings.push_back(
            {{"coding", http::coding_name(coding)}, {"etag", r.etag}, {"bytes", r.body ? r.body->size() : 0}});
    }
    return {{"status", parts.status},
            {"validity", validity_name(valid)},
            {"age_s", seconds(parts.stamps.age(now.mono))},
            {"ttl_s", seconds(parts.stamps.ttl(now.mono))},
            {"freshness_lifetime_s", seconds(parts.stamps.freshness_lifetime)},
            {"stale_while_revalidate_s", seconds(parts.stamps.stale_while_revalidate)},
            {"stale_if_error_s", seconds(parts.stamps.stale_if_error)},
            {"must_revalidate", parts.stamps.must_revalidate},
            {"heuristic", parts.stamps.heuristic},
            {"fence", std::to_string(parts.fence)},
            {"tags", parts.tags.size()},
            {"bytes", entry.footprint()},
            {"codings", codings}};
}

json describe_route(const policy::Match& match, bool handlers_only) {
    if (match.route == nullptr) {
        if (!handlers_only) return {{"name", nullptr}, {"why", "no route matches: a standards cache without policy"}};
        return {{"name", nullptr}, {"why", match.path_known ? "no route for this method" : "no route for this path"}};
    }
    return {{"name", match.route->name}, {"match", match.route->policy.match}, {"index", match.route->index}};
}

/// Steps 3 and 4 as lookup.cpp takes them, in words.
class Lookup {
public:
    Lookup(const flow::Rooms& rooms, const http::RequestHead& request, const policy::Match& match, Now now)
        : rooms_(rooms), request_(request), match_(match), now_(now) {}

    /// What it is called in the shared tier, once run() has named it; empty: it has no name.
    const std::string& key() const noexcept { return key_; }

    json run() {
        const auto identity = policy::identity_of(match_.route, request_);
        out_["identity"] = !identity.present ? "none" : identity.from_authorization ? "authorization" : "route";
        if (match_.route != nullptr && match_.route->policy.cache.pass) return would("bypass", "route-pass");
        if (!policy::make_key(key_, {request_, match_.route, "http", identity, rooms_.identity_secret})) {
            key_.clear();
            return would("bypass", "key-too-long");
        }
        out_["key"] = flow::key_name(key_, match_.route);
        auto shelf = rooms_.store.find(base::hash128(key_, rooms_.secret), key_);
        if (!shelf) shelf = equivalent_shelf(key_, identity);
        if (!shelf) return would("uri-miss", "none");
        out_["shelf"] = {
            {"variants", shelf->variants.size()},
            {"vary", shelf->vary.names},
            {"not_shareable_s", seconds(std::max(shelf->not_shareable_until - now_.mono, Duration::zero()))}};
        std::string secondary;
        http::append_secondary_key(secondary, shelf->vary, request_.fields);
        const store::Entry* entry = shelf->find(secondary);
        if (entry != nullptr && equivalent_ && !equivalent_->is(*entry)) entry = nullptr;
        if (entry == nullptr) {
            if (shelf->not_shareable_until > now_.mono && !equivalent_) return would("bypass", "not-shareable");
            return would(shelf->variants.empty() ? "uri-miss" : "vary-miss", "none");
        }
        const std::uint32_t revision = match_.route != nullptr ? match_.route->revision : 0;
        if (entry->parts().route_revision != revision) return would("uri-miss", "none");
        if (!entry->parts().for_authorized && !is_per_user() &&
            (identity.present || http::contains(request_.fields, http::FieldId::authorization)))
            return would("bypass", "authorization");
        return reuse(*entry);
    }

private:
    base::Ref<const store::Shelf> equivalent_shelf(const std::string& key, const policy::Identity& identity) {
        equivalent_ = flow::find_equivalent(rooms_, flow::request_uri(request_, "http", match_.route), key);
        if (!equivalent_) return nullptr;
        const std::string user =
            identity.present && is_per_user() ? flow::identity_hash(identity, rooms_.identity_secret) : std::string();
        equivalent_->asked_tags = flow::request_tags({request_, "http", key, match_, user});
        out_["stored_as"] = flow::key_name(equivalent_->shelf->key, match_.route);
        return equivalent_->shelf;
    }

    bool is_per_user() const { return match_.route != nullptr && match_.route->policy.cache.per == Per::user; }

    json reuse(const store::Entry& entry) {
        auto valid = rooms_.engine.judge(entry.parts().fence, entry.parts().tags);
        if (equivalent_) valid = std::max(valid, rooms_.engine.judge(entry.parts().fence, equivalent_->asked_tags));
        out_["entry"] = describe_entry(entry, valid, now_);
        if (valid == coherence::Validity::gone) return would("uri-miss", "invalidated");
        const coherence::Sight sight = rooms_.engine.sight(now_.mono);
        if (sight == coherence::Sight::blind) return would("stale", detail_name(Detail::blind));
        if (valid == coherence::Validity::unsure) return would("stale", detail_name(Detail::unconfirmed));
        const auto verdict =
            policy::judge_reuse(entry.parts().stamps, http::parse_request_cache_control(request_.fields), now_.mono,
                                valid == coherence::Validity::stale);
        out_["reuse"] = reuse_name(verdict.reuse);
        const Detail detail = equivalent_ && verdict.detail == Detail::none ? Detail::no_vary_search : verdict.detail;
        if (verdict.reuse != policy::Reuse::validate) return would("hit", detail_name(detail));
        return would(forward_name(verdict.forward), "none");
    }

    json would(std::string_view outcome, std::string_view detail) {
        out_["outcome"] = outcome;
        if (detail != "none") out_["detail"] = detail;
        return std::move(out_);
    }

    const flow::Rooms& rooms_;
    const http::RequestHead& request_;
    const policy::Match& match_;
    Now now_;
    std::string key_;
    std::unique_ptr<flow::Equivalent> equivalent_;  // when what was found is stored for another URI
    json out_;
};

struct Wanted {
    const http::RequestHead& request;
    const policy::Match& match;
    const std::string& key;
    Now now;
};

/// Step 6: what the shared tier has, and what it is worth here.
asio::awaitable<json> look_into_redis(const flow::Rooms& rooms, Wanted wanted) {
    const std::string name = flow::key_name(wanted.key, wanted.match.route);
    const store::RemoteName remote{name, wanted.key, {}, wanted.request.fields, nullptr};
    const auto found = co_await rooms.remote->find(remote, wanted.now.mono + rooms.limits.remote_budget);
    using Answer = store::RemoteStore::Answer;
    if (found.answer != Answer::hit) co_return json{{"answer", found.answer == Answer::away ? "away" : "miss"}};
    const auto valid = rooms.engine.judge(found.entry->parts().fence, found.entry->parts().tags);
    co_return json{{"answer", "hit"}, {"entry", describe_entry(*found.entry, valid, base::read_clock())}};
}

}  // namespace

asio::awaitable<Result<std::string>> explain_request(const flow::Rooms& rooms, ExplainRequest request, Now now) {
    const std::string text = request_text(request);
    const auto slots = std::make_unique<http::FieldSlots>();
    http::RequestHead head;
    http::HeadParser parser;
    const auto outcome = parser.parse_request(text, *slots, head);
    if (outcome.state != http::ParseState::complete)
        co_return failure(Blame::client, Fault::bad_request,
                          "this is not a request that could arrive: " + std::string(outcome.why));

    const policy::Match match = rooms.router.match(head.method, head.path);
    json out{{"url", request.url}, {"route", describe_route(match, rooms.handlers_only)}};
    if (match.route == nullptr && rooms.handlers_only)
        out["outcome"] = match.path_known ? "405" : "404";
    else {
        Lookup lookup(rooms, head, match, now);
        out.update(lookup.run());
        if (rooms.remote != nullptr && !lookup.key().empty())
            out["redis"] = co_await look_into_redis(rooms, {head, match, lookup.key(), now});
    }
    out["position"] = std::to_string(rooms.engine.fence());
    co_return out.dump(2);
}

}  // namespace etage::gateway
