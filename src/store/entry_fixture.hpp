#pragma once
// Entries for tests.

#include "store/entry.hpp"
#include "store/shelf.hpp"

#include <string>
#include <utility>
#include <vector>

namespace etage::store::testing {

/// Keyed with a seed of the tests: equal keys, equal hashes.
inline base::Hash128 hash_of(std::string_view key) { return base::hash128(key, 42); }

struct EntrySpec {
    std::string key = "k";
    std::string secondary_key{};
    Sequence fence = 1;
    std::size_t body_bytes = 10;
};

inline EntryParts parts_of(const EntrySpec& spec) {
    EntryParts parts;
    parts.key_hash = hash_of(spec.key);
    parts.key = spec.key;
    parts.secondary_key = spec.secondary_key;
    parts.fence = spec.fence;
    parts.codings = http::CodingSet{}.with(http::Coding::identity);
    parts.representations[0].head = "HTTP/1.1 200 OK\r\n";
    parts.representations[0].body = base::make_bytes(std::string(spec.body_bytes, 'x'));
    return parts;
}

inline base::Ref<const Entry> entry_of(const EntrySpec& spec) { return base::make_ref<const Entry>(parts_of(spec)); }

inline http::VaryNames vary_on(std::vector<std::string> names) {
    http::VaryNames vary;
    vary.names = std::move(names);
    return vary;
}

}  // namespace etage::store::testing
