#include "gateway/config_change.hpp"

#include <algorithm>
#include <string>

namespace etage::gateway {

namespace {

struct Fixed {
    const char* setting;
    bool (*same)(const Config&, const Config&);
};

#define ETAGE_FIXED(section, key, member)                                                                        \
    Fixed {                                                                                                      \
        #section "." #key, [](const Config& a, const Config& b) { return a.section.member == b.section.member; } \
    }

constexpr Fixed fixed[] = {
    ETAGE_FIXED(server, listen, listen),       ETAGE_FIXED(server, threads, threads),
    ETAGE_FIXED(admin, listen, listen),        ETAGE_FIXED(memory, limit, limit),
    ETAGE_FIXED(memory, entry_max, entry_max), ETAGE_FIXED(redis, url, url),
    ETAGE_FIXED(redis, password, password),    ETAGE_FIXED(redis, namespace, name_space),
    ETAGE_FIXED(redis, budget, budget),        ETAGE_FIXED(redis, required, required),
    ETAGE_FIXED(redis, entry_max, entry_max),  ETAGE_FIXED(redis, secret, secret),
    ETAGE_FIXED(redis, tls_ca, tls_ca),        ETAGE_FIXED(redis, tls_certificate, tls_certificate),
    ETAGE_FIXED(redis, tls_key, tls_key),      ETAGE_FIXED(coherence, mode, mode),
    ETAGE_FIXED(coherence, lease, lease),      ETAGE_FIXED(coherence, blind_max, blind_max),
    ETAGE_FIXED(coherence, settle, settle),    ETAGE_FIXED(log, format, format),
};

#undef ETAGE_FIXED

}  // namespace

Problems what_takes_a_restart(const Config& running, const Config& next) {
    Problems problems;
    for (const Fixed& each : fixed)
        if (!each.same(running, next))
            problems.add("", std::string(each.setting) + ": cannot change while serving; restart Etage to apply it");
    return problems;
}

}  // namespace etage::gateway
