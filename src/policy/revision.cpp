#include "policy/revision.hpp"

#include "base/hash.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::policy {

namespace {

/// Every value as its length and its text, so that no two policies write the same.
class Canonical {
public:
    Canonical& add(std::string_view value) {
        text_ += std::to_string(value.size());
        text_ += ':';
        text_ += value;
        return *this;
    }
    Canonical& add(const std::string& value) { return add(std::string_view(value)); }
    Canonical& add(std::uint64_t value) { return add(std::string_view(std::to_string(value))); }
    Canonical& add(bool value) { return add(std::string_view(value ? "yes" : "no")); }
    Canonical& add(Duration value) { return add(std::string_view(std::to_string(value.count()))); }
    template <class T>
    Canonical& add(const std::optional<T>& value) {
        return value ? add(true).add(*value) : add(false);
    }
    template <class T>
    Canonical& add(const std::vector<T>& list) {
        add(std::uint64_t{list.size()});
        for (const T& each : list) add(each);
        return *this;
    }
    Canonical& add(const LimitPolicy& l) {
        const auto& [name, algorithm, quota, window, burst, max, by, by_name, cost_by, cost, cost_name, count, allow,
                     deny, outage, lease, retry_jitter, dry_run] = l;
        add(name).word(algorithm).add(quota).add(window).add(burst).add(max).word(by).add(by_name).word(cost_by);
        add(cost).add(cost_name).word(count).add(allow).add(deny).word(outage).add(lease).add(retry_jitter);
        return add(dry_run);
    }

    template <class E>
    Canonical& word(E value) {
        return add(static_cast<std::uint64_t>(value));
    }

    const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

}  // namespace

// The bindings name every member on purpose: a new one does not compile until it is written down here.
std::uint32_t revision_of(const RoutePolicy& policy) {
    const auto& [match, cache, key, client, identity, limits, invalidates, origin] = policy;
    const auto& [pass, ttl, swr, sie, negative_ttl, tags, per, allow_set_cookie, allow_cookie, respect_origin] = cache;
    Canonical text;
    text.add(match).add(pass).add(ttl).add(swr).add(sie).add(negative_ttl).add(tags);
    text.add(static_cast<std::uint64_t>(per)).add(allow_set_cookie).add(allow_cookie).add(respect_origin);
    text.add(static_cast<std::uint64_t>(key.query_mode)).add(key.query).add(key.headers);
    text.add(client.cache_control).add(client.cdn_cache_control).add(client.expose_tags).add(client.compress);
    text.add(client.x_ratelimit);
    text.add(identity.header).add(identity.cookie).add(limits).add(invalidates).add(origin);
    const auto hash = base::hash64(text.text(), 0);
    const auto revision = static_cast<std::uint32_t>(hash ^ (hash >> 32U));
    return revision == 0 ? 1 : revision;
}

}  // namespace etage::policy
