#include "store/entry_wire.hpp"

#include "base/hash.hpp"
#include "store/entry_fixture.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <variant>

namespace etage::store {
namespace {

using namespace std::chrono_literals;

constexpr Instant written(1000s);

EntryParts some_parts() {
    EntryParts parts = testing::parts_of({.key = "GET /posts", .fence = (Sequence{1'790'000'000'000} << 20U) + 7});
    parts.tags = {1, 5, 77, ~TagHash{0}};
    parts.stamps.response_time = written - 5s;
    parts.stamps.initial_age = 2s;
    parts.stamps.freshness_lifetime = 60s;
    parts.stamps.stale_if_error = 600s;
    parts.stamps.no_cache = true;
    parts.route_revision = 42;
    parts.for_authorized = true;
    parts.fields.add("Content-Type", "application/json");
    parts.fields.add("X-Empty", "");
    parts.etag = "\"one\"";
    parts.last_modified = "Tue, 24 Nov 2026 10:00:00 GMT";
    parts.codable = true;
    parts.codings = parts.codings.with(http::Coding::br);
    parts.tried = parts.tried.with(http::Coding::br).with(http::Coding::zstd);
    auto& br = parts.representations[static_cast<std::size_t>(http::Coding::br)];
    br = {http::Coding::br,
          "\"one-b\"",
          "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n",
          "HTTP/1.1 304 Not Modified\r\n",
          base::make_bytes(std::string("\0\1binary", 8)),
          true};
    return parts;
}

struct Decoded {
    WireHead head;
    std::variant<EntryParts, http::VaryNames> content;
};

std::optional<Decoded> decode(std::string_view bytes, std::int64_t clock_ms, Instant now) {
    const auto unsealed = unseal(bytes);
    if (!unsealed) return std::nullopt;
    std::optional<Decoded> out(std::in_place);
    out->head = unsealed->head;
    const bool is_entry = unsealed->kind == Unsealed::Kind::entry;
    const bool is_whole = is_entry ? read_entry(*unsealed, clock_ms, now, out->content.emplace<EntryParts>())
                                   : read_vary(*unsealed, out->content.emplace<http::VaryNames>());
    if (!is_whole) out.reset();
    return out;
}

constexpr std::int64_t written_ms = 1'790'000'000'123;

std::string encoded(EntryParts parts) {
    const WireHead head{parts.fence, 99, written_ms};
    return encode(head, Entry(std::move(parts)), written);
}

/// All that a process can tell of two entries, but the moment they are seen at.
void expect_same(const EntryParts& a, const EntryParts& b, Duration older) {
    EXPECT_EQ(a.key, b.key);
    EXPECT_EQ(a.secondary_key, b.secondary_key);
    EXPECT_EQ(a.search_key, b.search_key);
    EXPECT_EQ(a.fence, b.fence);
    EXPECT_EQ(a.tags, b.tags);
    EXPECT_EQ(a.stamps.age(written) + older, b.stamps.age(b.stamps.response_time));
    EXPECT_EQ(a.stamps.freshness_lifetime, b.stamps.freshness_lifetime);
    EXPECT_EQ(a.stamps.stale_while_revalidate, b.stamps.stale_while_revalidate);
    EXPECT_EQ(a.stamps.stale_if_error, b.stamps.stale_if_error);
    EXPECT_EQ(std::tie(a.stamps.must_revalidate, a.stamps.no_cache, a.stamps.heuristic),
              std::tie(b.stamps.must_revalidate, b.stamps.no_cache, b.stamps.heuristic));
    EXPECT_EQ(std::tie(a.route_revision, a.for_authorized, a.status),
              std::tie(b.route_revision, b.for_authorized, b.status));
    EXPECT_EQ(std::tie(a.etag, a.etag_is_ours, a.last_modified), std::tie(b.etag, b.etag_is_ours, b.last_modified));
    EXPECT_EQ(std::tie(a.codings, a.codable, a.tried, a.sent_in, a.undecoded),
              std::tie(b.codings, b.codable, b.tried, b.sent_in, b.undecoded));
    ASSERT_EQ(a.fields.size(), b.fields.size());
    for (std::size_t i = 0; i < a.fields.size(); ++i) {
        EXPECT_EQ(a.fields.span()[i].name, b.fields.span()[i].name);
        EXPECT_EQ(a.fields.span()[i].value, b.fields.span()[i].value);
        EXPECT_EQ(a.fields.span()[i].id, b.fields.span()[i].id);
    }
    for (std::size_t c = 0; c < http::coding_count; ++c) {
        if (!a.codings.has(static_cast<http::Coding>(c))) continue;
        const auto& x = a.representations[c];
        const auto& y = b.representations[c];
        EXPECT_EQ(std::tie(x.coding, x.etag, x.head, x.head_not_modified, x.strong),
                  std::tie(y.coding, y.etag, y.head, y.head_not_modified, y.strong));
        ASSERT_EQ(x.body == nullptr, y.body == nullptr);
        if (x.body) {
            EXPECT_EQ(x.body->view(), y.body->view());
        }
    }
}

TEST(EntryWire, WhatIsReadIsWhatWasWritten) {
    const auto decoded = decode(encoded(some_parts()), written_ms, written + 1h);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->head.fence, some_parts().fence);
    EXPECT_EQ(decoded->head.generation, 99U);
    EXPECT_EQ(decoded->head.written_ms, written_ms);
    expect_same(some_parts(), std::get<EntryParts>(decoded->content), 0s);
}

TEST(EntryWire, ItsAgeGoesByTheSharedClock) {
    const auto decoded = decode(encoded(some_parts()), written_ms + 15'000, written + 1h);
    ASSERT_TRUE(decoded);
    const auto& stamps = std::get<EntryParts>(decoded->content).stamps;
    EXPECT_EQ(stamps.age(written + 1h), 7s + 15s) << "2 s when it came, 5 s in memory, 15 s there";
    EXPECT_EQ(stamps.ttl(written + 1h), 38s);
    EXPECT_EQ(
        std::get<EntryParts>(decode(encoded(some_parts()), written_ms - 10'000, written)->content).stamps.age(written),
        7s)
        << "never younger than it was";
}

TEST(EntryWire, TheFenceStandsInFrontMostSignificantByteFirst) {
    EntryParts low = some_parts();
    EntryParts high = some_parts();
    high.fence = low.fence + (Sequence{1} << 40U);
    EXPECT_LT(encoded(low).substr(0, wire_fence_bytes), encoded(high).substr(0, wire_fence_bytes));
    EXPECT_EQ(encoded(low).substr(8, 3), "etg");
    EXPECT_EQ(encoded(low).substr(21, 8), encoded(high).substr(21, 8))
        << "the generation, where the script looks for it";
}

TEST(EntryWire, WhatVariantsVaryOn) {
    const auto vary = testing::vary_on({"accept-language", "x-tenant"});
    const auto decoded = decode(encode({5, 6, 7}, vary), 7, written);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(std::get<http::VaryNames>(decoded->content), vary);
}

TEST(EntryWire, AResponseWithoutContent) {
    EntryParts parts = testing::parts_of({});
    parts.status = 204;
    parts.representations[0].body = nullptr;
    const auto decoded = decode(encoded(std::move(parts)), written_ms, written);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(std::get<EntryParts>(decoded->content).representations[0].body, nullptr);
}

TEST(EntryWire, AnythingComesBack) {
    rc::check([] {
        EntryParts parts = testing::parts_of({.key = *rc::gen::arbitrary<std::string>()});
        parts.secondary_key = *rc::gen::arbitrary<std::string>();
        parts.search_key = *rc::gen::arbitrary<std::string>();
        parts.fence = *rc::gen::arbitrary<Sequence>();
        parts.tags = *rc::gen::arbitrary<std::vector<TagHash>>();
        std::ranges::sort(parts.tags);
        parts.stamps.response_time = written;
        parts.stamps.freshness_lifetime = std::chrono::seconds(*rc::gen::inRange(0, 1'000'000));
        parts.etag = *rc::gen::arbitrary<std::string>();
        parts.representations[0].body = base::make_bytes(*rc::gen::arbitrary<std::string>());
        const auto names = *rc::gen::arbitrary<std::vector<std::string>>();
        for (const auto& name : names) parts.fields.add(name, parts.etag);
        const auto copy = parts;
        const auto decoded = decode(encoded(std::move(parts)), written_ms, written);
        RC_ASSERT(decoded.has_value());
        expect_same(copy, std::get<EntryParts>(decoded->content), 0s);
        RC_ASSERT(!::testing::Test::HasFailure());
    });
}

// ---- damage

TEST(EntryWire, TruncatedAtAnyByteItIsNothing) {
    const std::string value = encoded(some_parts());
    for (std::size_t n = 0; n < value.size(); ++n) ASSERT_FALSE(decode(value.substr(0, n), written_ms, written)) << n;
    EXPECT_FALSE(decode(value + "x", written_ms, written));
}

TEST(EntryWire, OlderAndNewerVersionsAreNothing) {
    for (const char version : {'\0', '\1', '\377'}) {
        std::string value = encoded(some_parts());
        value[11] = version;
        EXPECT_FALSE(decode(value, written_ms, written));
    }
}

/// 10⁶ mutated values: bytes changed, removed, doubled, swapped; the checksum finds them all.
TEST(EntryWire, AMillionMutatedValuesAreNothing) {
    const std::string value = encoded(some_parts());
    std::mt19937_64 random(1);
    std::size_t unchanged = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        std::string mutant = value;
        for (std::uint64_t changes = 1 + random() % 3; changes > 0; --changes) {
            const std::size_t at = random() % mutant.size();
            switch (random() % 4) {
                case 0: mutant[at] = static_cast<char>(mutant[at] ^ static_cast<char>(1U << random() % 8)); break;
                case 1: mutant.erase(at, 1 + random() % 8); break;
                case 2: mutant.insert(at, mutant.substr(at, 1 + random() % 8)); break;
                default: std::swap(mutant[at], mutant[random() % mutant.size()]);
            }
            if (mutant.empty()) mutant = "x";
        }
        if (mutant == value)
            ++unchanged;
        else
            ASSERT_FALSE(decode(mutant, written_ms, written)) << i;
    }
    EXPECT_LT(unchanged, 20'000U);
}

/// With the checksum made right again: whatever the fields say, nothing breaks, and what is accepted holds together.
TEST(EntryWire, SealedNonsenseIsRefusedOrWhole) {
    const std::string value = encoded(some_parts());
    std::mt19937_64 random(2);
    std::size_t accepted = 0;
    for (int i = 0; i < 100'000; ++i) {
        std::string mutant = value;
        for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes)
            mutant[20 + random() % (mutant.size() - 20)] = static_cast<char>(random());
        Sequence fence = 0;
        std::memcpy(&fence, mutant.data(), sizeof fence);
        const std::uint64_t checksum = base::hash64(std::string_view(mutant).substr(20), std::byteswap(fence));
        std::memcpy(mutant.data() + 12, &checksum, sizeof checksum);
        const auto decoded = decode(mutant, written_ms, written);
        if (!decoded || !std::holds_alternative<EntryParts>(decoded->content)) continue;
        ++accepted;
        const Entry entry(std::get<EntryParts>(decoded->content));
        ASSERT_TRUE(entry.parts().codings.has(entry.parts().sent_in));
        ASSERT_TRUE(std::ranges::is_sorted(entry.parts().tags));
        ASSERT_GE(entry.parts().stamps.age(written), Duration::zero());
    }
    EXPECT_GT(accepted, 1000U) << "or this test tests nothing";
}

}  // namespace
}  // namespace etage::store
