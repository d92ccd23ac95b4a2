// The shared tier against a client that says what it is told. What Redis itself does with the scripts is tried on a
// real one (tests/system/test_redis.py).

#include "redis/entry_store.hpp"

#include "base/clock.hpp"
#include "net/virtual_time.hpp"
#include "redis/claim.hpp"
#include "store/entry_fixture.hpp"
#include "store/entry_wire.hpp"

#include <asio/co_spawn.hpp>
#include <asio/use_future.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace etage::redis {
namespace {

using namespace std::chrono_literals;
using Answer = store::RemoteStore::Answer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Reply nil() { return {}; }
Reply bulk(std::string text) { return {Reply::Kind::bulk, 0, std::move(text), {}}; }
Reply error(std::string text) { return {Reply::Kind::error, 0, std::move(text), {}}; }
Reply integer(std::int64_t n) { return {Reply::Kind::integer, n, {}, {}}; }
Reply ok() { return {Reply::Kind::status, 0, "OK", {}}; }

class PlayedClient final : public Client {
public:
    bool is_away = false;
    std::deque<std::vector<Reply>> says;            // trip by trip; none left: it fails
    std::vector<std::string> heard;                 // a trip a line: its commands, as RESP
    std::vector<std::vector<std::string>> scripts;  // keys, then arguments
    Reply script_says = integer(1);

    asio::awaitable<Result<Reply>> call(Command command, Instant) override {
        heard.push_back(command.bytes());
        if (says.empty()) co_return failure(Blame::remote_store, Fault::internal, "scripted", true);
        Reply reply = std::move(says.front().front());
        says.pop_front();
        co_return reply;
    }
    asio::awaitable<Result<std::vector<Reply>>> call(std::vector<Command> commands, Instant) override {
        heard.emplace_back();
        for (const Command& command : commands) heard.back() += command.bytes();
        if (says.empty()) co_return failure(Blame::remote_store, Fault::internal, "scripted", true);
        auto replies = std::move(says.front());
        says.pop_front();
        co_return replies;
    }
    asio::awaitable<Result<Reply>> run(const Script&, std::span<const std::string> keys,
                                       std::span<const std::string> arguments, Instant) override {
        scripts.emplace_back(keys.begin(), keys.end());
        scripts.back().insert(scripts.back().end(), arguments.begin(), arguments.end());
        co_return script_says;
    }
    asio::awaitable<Result<std::shared_ptr<Connection>>> connect(std::string_view, Instant) override {
        co_return failure(Blame::remote_store, Fault::internal, "scripted");
    }
    bool away(std::string_view) const noexcept override { return is_away; }
    std::string trouble() const override { return {}; }
    void let_go() noexcept override {}
};

constexpr std::string_view name = "v1:posts:abc";
constexpr std::int64_t written_ms = 1'790'000'000'000;

struct EntryStoreTest : testing::Test {
    base::VirtualClock clock{{Instant(1h), WallTime(1'790'000'000s)}};
    asio::io_context io{1};
    PlayedClient client;
    coherence::Engine engine;
    std::atomic<std::uint64_t> generation{5};
    base::Metrics metrics;
    EntryLimits limits;
    LogClock log_clock;
    std::unique_ptr<EntryStore> made;

    EntryStoreTest() { log_clock.sample(clock.now().mono - 3ms, clock.now().mono, written_ms + 10'000); }

    EntryStore& store() {
        if (!made) made = std::make_unique<EntryStore>(client, engine, log_clock, "ns", generation, metrics, limits);
        return *made;
    }
    store::EntryParts parts(std::string key = "k", std::string secondary = {}) const {
        auto out = store::testing::parts_of({.key = std::move(key), .secondary_key = std::move(secondary), .fence = 7});
        out.stamps.response_time = clock.now().mono;
        out.stamps.freshness_lifetime = 60s;
        return out;
    }
    std::string value(store::EntryParts of, std::uint64_t of_generation = 5) const {
        return store::encode({of.fence, of_generation, written_ms}, store::Entry(std::move(of)), clock.now().mono);
    }
    void settle() {
        io.restart();
        while (io.poll() > 0) {
        }
    }
    template <class T>
    T await(asio::awaitable<T> what) {
        auto future = asio::co_spawn(io, std::move(what), asio::use_future);
        settle();
        return future.get();
    }
    store::RemoteStore::Found find(const http::VaryNames* vary = nullptr, http::FieldSpan request = {}) {
        const store::RemoteName wanted{name, "k", {1, 2}, request, vary};
        return await(store().find(wanted, clock.now().mono + 50ms));
    }
    void put(store::EntryParts of, const http::VaryNames& vary = {}) {
        store().put(io.get_executor(), name, base::make_ref<const store::Entry>(std::move(of)), vary, nullptr,
                    clock.now().mono);
        settle();
    }
};

TEST_F(EntryStoreTest, ALookIsOneTrip) {
    client.says = {{bulk(value(parts()))}};
    const auto found = find();
    ASSERT_EQ(found.answer, Answer::hit);
    EXPECT_EQ(found.entry->parts().key_hash, (base::Hash128{1, 2}));
    EXPECT_EQ(found.entry->parts().stamps.age(clock.now().mono), 10s + 4ms) << "so long it has lain there, at most";
    ASSERT_EQ(client.heard.size(), 1U);
    EXPECT_THAT(client.heard[0], HasSubstr("ns:v1:posts:abc"));
    EXPECT_EQ(metrics.sum(base::Counter::redis_hits), 1U);
}

TEST_F(EntryStoreTest, NothingThereIsAMissAndNoAnswerIsAway) {
    client.says = {{nil()}};
    EXPECT_EQ(find().answer, Answer::miss);
    EXPECT_EQ(find().answer, Answer::away);
    EXPECT_EQ(metrics.sum(base::Counter::redis_away), 1U);
}

TEST_F(EntryStoreTest, NobodyIsAskedWhileItIsAwayOrTheLogIsNotAttached) {
    client.is_away = true;
    EXPECT_EQ(find().answer, Answer::away);
    client.is_away = false;
    generation = 0;
    EXPECT_EQ(find().answer, Answer::away);
    EXPECT_THAT(client.heard, IsEmpty());
}

TEST_F(EntryStoreTest, DamageIsAMissAndIsDeleted) {
    auto damaged = value(parts());
    damaged[40] = static_cast<char>(damaged[40] ^ 1);
    for (const auto& reply :
         {bulk(damaged), bulk(""), error("WRONGTYPE Operation against …"), bulk(value(parts("other")))}) {
        client.heard.clear();
        client.says = {{reply}, {integer(1)}};
        EXPECT_EQ(find().answer, Answer::miss);
        ASSERT_EQ(client.heard.size(), 2U) << reply.text;
        EXPECT_THAT(client.heard[1], HasSubstr("UNLINK"));
    }
    EXPECT_EQ(metrics.sum(base::Counter::redis_damaged), 4U);
}

TEST_F(EntryStoreTest, AnotherGenerationIsAMissAndLeftAlone) {
    client.says = {{bulk(value(parts(), 4))}};
    EXPECT_EQ(find().answer, Answer::miss);
    EXPECT_EQ(client.heard.size(), 1U);
}

TEST_F(EntryStoreTest, AVariantTakesTwoTripsAndOneWhenItIsKnownWhatTheyVaryOn) {
    const auto vary = store::testing::vary_on({"accept-language"});
    http::Fields german;
    german.add("Accept-Language", "de");
    std::string secondary;
    http::append_secondary_key(secondary, vary, german);
    const Reply signpost = bulk(store::encode({7, 5, written_ms}, vary));
    const Reply variant = bulk(value(parts("k", secondary)));
    client.says = {{signpost}, {variant}};
    EXPECT_EQ(find(nullptr, german).answer, Answer::hit);
    ASSERT_EQ(client.heard.size(), 2U);
    EXPECT_THAT(client.heard[1], HasSubstr("{ns:v1:posts:abc}:")) << "in the slot of the value";
    EXPECT_THAT(client.heard[1], HasSubstr(base::hex(base::strong_hash({}, secondary))));

    client.heard.clear();
    client.says = {{variant}};
    EXPECT_EQ(find(&vary, german).answer, Answer::hit);
    EXPECT_EQ(client.heard.size(), 1U);

    client.says = {{bulk(value(parts("k", "another")))}};
    EXPECT_EQ(find(&vary, german).answer, Answer::miss);
}

// ---- writing

TEST_F(EntryStoreTest, AWriteCarriesItsFenceAndItsTime) {
    put(parts());
    ASSERT_EQ(client.scripts.size(), 1U);
    EXPECT_EQ(client.scripts[0][0], "ns:v1:posts:abc");
    EXPECT_EQ(client.scripts[0][2], "60000");
    const auto unsealed = store::unseal(client.scripts[0][1]);
    ASSERT_TRUE(unsealed);
    EXPECT_EQ(unsealed->head.fence, 7U);
    EXPECT_EQ(unsealed->head.generation, 5U);
    EXPECT_EQ(unsealed->head.written_ms, log_clock.at_least(clock.now().mono));
    EXPECT_EQ(metrics.sum(base::Counter::redis_writes), 1U);
    EXPECT_EQ(store().writes_under_way(), 0U);
}

TEST_F(EntryStoreTest, OfSeveralTheSignpostIsWrittenFirst) {
    put(parts("k", "secondary"), store::testing::vary_on({"accept-language"}));
    ASSERT_EQ(client.scripts.size(), 2U);
    EXPECT_EQ(client.scripts[0][0], "ns:v1:posts:abc");
    EXPECT_THAT(client.scripts[1][0], HasSubstr("{ns:v1:posts:abc}:"));
}

TEST_F(EntryStoreTest, WhatIsOfNoUseIsNotWritten) {
    auto stale = parts();
    stale.stamps.freshness_lifetime = -1s;
    put(std::move(stale));
    limits.value_bytes_max = 100;
    made.reset();
    put(parts());
    EXPECT_EQ(metrics.sum(base::Counter::redis_values_too_large), 1U);
    EXPECT_THAT(client.scripts, IsEmpty());
}

TEST_F(EntryStoreTest, WhatWasInvalidatedMeanwhileIsNotWritten) {
    auto tagged = parts();
    tagged.tags = {9};
    engine.apply(100, {tagged.tags});
    put(std::move(tagged));
    EXPECT_THAT(client.scripts, IsEmpty());
}

TEST_F(EntryStoreTest, SoManyWritesAtOnceAndNoMore) {
    limits.writes_max = 0;
    put(parts());
    EXPECT_THAT(client.scripts, IsEmpty());
    EXPECT_EQ(metrics.sum(base::Counter::redis_writes_dropped), 1U);
}

TEST_F(EntryStoreTest, ItIsKeptWhileItIsOfUse) {
    auto of = parts();
    const Instant now = clock.now().mono;
    EXPECT_EQ(useful_for(of, now), 60s);
    of.stamps.stale_if_error = 100s;
    EXPECT_EQ(useful_for(of, now), 160s);
    of.stamps.must_revalidate = true;
    EXPECT_EQ(useful_for(of, now), 60s);
    of.etag = "\"a\"";
    EXPECT_EQ(useful_for(of, now), 120s) << "the origin may confirm it";
    of.etag_is_ours = true;
    EXPECT_EQ(useful_for(of, now), 60s);
    EXPECT_EQ(useful_for(of, now + 61s), 0s);
}

// ---- claims

TEST_F(EntryStoreTest, AClaimIsOursOrSomebodyElses) {
    const store::RemoteName wanted{name, "k", {}, {}, nullptr};
    client.says = {{nil(), bulk(ClaimText::make(99)), nil()}};
    auto claimed = await(store().claim(wanted, 7, clock.now().mono + 50ms));
    EXPECT_EQ(claimed.answer, Answer::miss);
    EXPECT_EQ(claimed.fence, 99U);
    EXPECT_TRUE(claimed.is_shareable);

    client.says = {{nil(), bulk("abandoned"), nil()}};
    EXPECT_FALSE(await(store().claim(wanted, 7, clock.now().mono + 50ms)).is_shareable);

    client.says = {{ok(), bulk(ClaimText::make(7)), bulk(value(parts()))}};
    claimed = await(store().claim(wanted, 7, clock.now().mono + 50ms));
    EXPECT_EQ(claimed.answer, Answer::hit);
    EXPECT_TRUE(claimed.claim);
    EXPECT_TRUE(claimed.entry) << "put there between the look and the claim";

    EXPECT_THAT(client.scripts, IsEmpty());
    net::advance(io, clock, limits.claim_for / 3);
    settle();
    ASSERT_EQ(client.scripts.size(), 1U) << "renewed";
    claimed.claim.reset();
    settle();
    ASSERT_EQ(client.scripts.size(), 2U) << "given back";
    EXPECT_EQ(client.scripts[1].size(), 2U);
}

TEST_F(EntryStoreTest, AnAbandonedClaimSaysSo) {
    const store::RemoteName wanted{name, "k", {}, {}, nullptr};
    client.says = {{ok(), bulk(ClaimText::make(7)), nil()}};
    auto claimed = await(store().claim(wanted, 7, clock.now().mono + 50ms));
    claimed.claim->abandon();
    claimed.claim.reset();
    settle();
    ASSERT_EQ(client.scripts.size(), 1U);
    EXPECT_EQ(client.scripts[0][2], "abandoned");
}

TEST(ClaimText, IsReadAsItWasWrittenAndNoOther) {
    EXPECT_EQ(ClaimText::parse(ClaimText::make(42))->fence, 42U);
    EXPECT_NE(ClaimText::make(42), ClaimText::make(42)) << "whose it is";
    for (const auto* text : {"", "42", "x 1", "abandoned", "-1 2"}) EXPECT_FALSE(ClaimText::parse(text)) << text;
}

}  // namespace
}  // namespace etage::redis
