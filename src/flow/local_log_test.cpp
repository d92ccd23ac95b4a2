#include "flow/local_log.hpp"

#include "coherence/tag.hpp"
#include "flow/walk_fixture.hpp"
#include "policy/invalidate.hpp"

namespace etage::flow::testing {
namespace {

using coherence::Softness;

/// A house whose answers carry a tag and a group, and its log.
struct LoggedHouse : TestHouse {
    LoggedHouse() {
        origin.script = [](const Seen&) {
            return Say{.fields = {{"Cache-Control", "max-age=60"},
                                  {"Cache-Tag", "posts"},
                                  {"Cache-Groups", "\"news\""},
                                  {"No-Vary-Search", "params=(\"utm\")"}}};
        };
    }

    Result<Sequence> invalidate(Invalidation what) {
        std::optional<Result<Sequence>> result;
        spawn(log.invalidate(std::move(what), Instant::max()), result);
        return *result;
    }

    template <class T>
    void spawn(asio::awaitable<T> work, std::optional<T>& result) {
        asio::io_context io;
        asio::co_spawn(
            io,
            [](asio::awaitable<T> inner, std::optional<T>& out) -> asio::awaitable<void> {
                out = co_await std::move(inner);
            }(std::move(work), result),
            asio::detached);
        io.run();
    }

    LocalLog log{engine, metrics, [this](const Invalidation& what) { return tags_of(walk->rooms(), what); }};
};

Invalidation one(Target::Kind kind, std::string text, Softness softness = Softness::hard) {
    return {{{kind, std::move(text)}}, softness};
}

TEST(LocalLog, EveryKindOfTargetReachesWhatItNames) {
    using Kind = Target::Kind;
    const std::string host = "api.test";
    const Target targets[] = {
        {Kind::tag, "posts"},
        {Kind::url, "/a?id=1"},
        {Kind::url, "http://" + host + "/a?id=1"},
        {Kind::url, "/a?id=1&utm=other"},  // its equal under No-Vary-Search
        {Kind::prefix, "/a"},
        {Kind::prefix, "http://" + host + "/"},
        {Kind::host, host},
        {Kind::group, policy::group_text("http", host, "news")},
        {Kind::everything, ""},
    };
    for (const Target& target : targets) {
        LoggedHouse house;
        house.get("GET /a?id=1");
        ASSERT_TRUE(house.get("GET /a?id=1").verdict.hit);
        ASSERT_TRUE(house.invalidate(one(target.kind, target.text)));
        EXPECT_EQ(house.get("GET /a?id=1").verdict.detail, Detail::invalidated) << target.text;
    }
}

TEST(LocalLog, OtherNamesLeaveItAlone) {
    using Kind = Target::Kind;
    LoggedHouse house;
    house.get("GET /a?id=1");
    for (const auto kind : {Kind::tag, Kind::key, Kind::url, Kind::prefix, Kind::host, Kind::group})
        ASSERT_TRUE(house.invalidate(one(kind, "/other")));
    EXPECT_TRUE(house.get("GET /a?id=1").verdict.hit);
}

TEST(LocalLog, ManyTargetsAreOneRecord) {
    LoggedHouse house;
    const Sequence before = house.engine.fence();
    const auto token = house.invalidate({{{Target::Kind::tag, "a"}, {Target::Kind::tag, "posts"}}, Softness::soft});
    EXPECT_EQ(token.value(), before + 1);
    EXPECT_EQ(house.metrics.sum(base::Counter::invalidations), 1U);
    EXPECT_EQ(house.engine.judge(before, std::vector{coherence::tag_hash(coherence::TagKind::surrogate, "posts")}),
              coherence::Validity::stale);
}

TEST(LocalLog, WhoeverAsksHasAppliedEverything) {
    LoggedHouse house;
    const auto token = house.invalidate(one(Target::Kind::tag, "x"));
    EXPECT_TRUE(house.log.is_alone());
    std::optional<Receipt> receipt;
    house.spawn(house.log.receipt(*token, Instant::max()), receipt);
    EXPECT_EQ(receipt->confirmed, 1U);
    EXPECT_EQ(receipt->live, 1U);
    std::optional<bool> here;
    std::optional<bool> ahead;
    house.spawn(house.log.reach(*token, Instant::max()), here);
    house.spawn(house.log.reach(*token + 1, Instant::max()), ahead);
    EXPECT_EQ(here, true);
    EXPECT_EQ(ahead, false);
}

}  // namespace
}  // namespace etage::flow::testing
