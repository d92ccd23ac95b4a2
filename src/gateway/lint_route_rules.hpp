#pragma once
// What is said about routes, in the order of docs/check.md.

#include "gateway/lint.hpp"

namespace etage::gateway {

inline constexpr LintRule route_rules[] = {
    {"route-never-reached", LintLevel::error, "",
     "Routes are tried in the order of the file, and earlier ones match everything this one would.",
     "Put it above the wider one, or remove it."},
    {"tag-from-unkeyed-input", LintLevel::error, "",
     "The tag draws on what the key leaves out, so an entry carries the tag of whoever asked first, and is missed by "
     "purges of the others.",
     "Add the parameter to key.query, or the field to key.headers, or take it out of the tag."},
    {"user-cache-public-client", LintLevel::error, "RFC 9111 §5.2.2.9",
     "The route keeps one answer per user, and tells caches between here and the browser to share it.",
     "Say private in client.cache_control, or leave the key out: then private is said. Leave client.cdn_cache_control "
     "out, or say no-store or private in it."},
    {"user-cache-shared-client", LintLevel::warning, "RFC 9111 §3.5",
     "The route keeps one answer per user, and its client.cache_control does not say private: a cache between here and "
     "the browser may store it, unless the identity is Authorization.",
     "Add private to client.cache_control."},
    {"allow-set-cookie", LintLevel::warning, "RFC 9111 §7.3",
     "Answers with Set-Cookie are stored for everybody: all get the cookie that was meant for the first.",
     "Remove allow_set_cookie, have the origin set cookies elsewhere, or say per = \"user\"."},
    {"identity-by-claim", LintLevel::warning, "",
     "The answers of a user are found by a name that the request claims, and nobody has checked it yet: who writes "
     "another's name into the field gets what is stored for them.",
     "Have a proxy in front set the field and remove what clients write into it; or let a secret be the identity, "
     "Authorization or a cookie."},
    {"ignores-no-store", LintLevel::warning, "RFC 9111 §5.2.2.5",
     "The origin's no-store, private, no-cache and must-revalidate count for nothing: one answer that is marked so by "
     "a "
     "careful handler is shared all the same.",
     "Mend the origin's Cache-Control and remove respect_origin = false; or keep the pattern as narrow as can be."},
    {"ttl-never-stored", LintLevel::warning, "",
     "The route has a ttl or tags, and none of its methods is one whose answers are stored.",
     "Match GET, or remove them."},
    {"pass-ignores-settings", LintLevel::warning, "",
     "pass = true stores nothing, so settings of storing and of the key do nothing.", "Remove them, or pass."},
    {"invalidates-never", LintLevel::warning, "RFC 9111 §4.4",
     "Only unsafe requests invalidate, and every method of this route is safe.",
     "Match the methods that change something, like \"POST|PUT|PATCH|DELETE /posts/**\"."},
    {"invalidates-typo", LintLevel::warning, "",
     "The tag to be invalidated is the tag of no route, but nearly that of one: the write would leave the old answer "
     "there.",
     "Write the tags alike. If the origin names this tag itself (Cache-Tag, Surrogate-Key), all is well."},
    {"invalidates-untagged", LintLevel::note, "", "The tag to be invalidated is the tag of no route in this file.",
     "Add it to cache.tags of the routes that show what was written, unless the origin names it itself (Cache-Tag, "
     "Surrogate-Key)."},
    {"ttl-without-invalidation", LintLevel::note, "RFC 9111 §4.4",
     "A write invalidates its own URI and the tags it names. What else shows the same data stays until its ttl is "
     "over.",
     "Give the route tags, and the writing route invalidates = [...] that names them."},
    {"client-longer-than-ttl", LintLevel::warning, "RFC 9111 §5.2.2.1",
     "Browsers keep the answer longer than Etage does, and no purge reaches them.",
     "Make max-age in client.cache_control shorter than the ttl, or no-cache: revalidating costs a 304."},
    {"client-shorter-than-ttl", LintLevel::note, "RFC 9111 §4.2.3",
     "Answers carry their Age: one that has been here for longer than the client's max-age is stale when it arrives, "
     "and "
     "every further request of that browser asks again.",
     "That is cheap, a 304 each, and may be what you want: browsers never hold what is older. Else raise max-age or "
     "lower the ttl."},
    {"swr-without-ttl", LintLevel::note, "RFC 5861 §3",
     "The windows begin where the lifetime ends, and the origin alone says how long that is; none at all where it says "
     "s-maxage, must-revalidate or proxy-revalidate.",
     "Add a ttl, unless the origin's max-age is what you want."},
    {"negative-ttl-long", LintLevel::warning, "RFC 9111 §4.2.2",
     "What is created in the meantime stays not found for that long, unless its creation invalidates the very URI.",
     "Keep negative_ttl at seconds: 10s already takes the load of a scan away."},
    {"key-headers-unbounded", LintLevel::warning, "RFC 9110 §12.5.5",
     "Nearly every client sends its own value, so nearly every request has a key of its own: no hits, and a full "
     "memory.",
     "Take it out of key.headers. For users there is per = \"user\"; for what the answer depends on, a field with few "
     "values."},
    {"key-headers-pointless", LintLevel::note, "",
     "The field is in the key anyway, or the origin never sees it, so it only multiplies entries.",
     "Take it out of key.headers."},
    {"query-all-on-ttl", LintLevel::note, "",
     "Every parameter counts, also those nobody reads: ?utm_source=x and ?x=1 are misses and entries of their own.",
     "Name those that matter in key.query, or \"none\"; or the known strangers in key.query_ignore."},
    {"limit-by-claim", LintLevel::warning, "",
     "The bucket belongs to a value that clients choose, and nobody has checked it yet: who sends another one each "
     "time "
     "is not limited.",
     "Put a limit by ip or by route beside it, wider than the one for a client."},
    {"limit-dry-run", LintLevel::note, "", "The limit counts and tells, and refuses nobody.",
     "Remove dry_run when the numbers look right."},
};

consteval const LintRule& route_rule(std::string_view id) { return lint_rule(route_rules, id); }

}  // namespace etage::gateway
