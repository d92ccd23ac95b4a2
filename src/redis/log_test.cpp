// One instance and its log, through everything that can happen to a Redis (DESIGN §4, failures).

#include <gmock/gmock.h>

#include "redis/log_fixture.hpp"

namespace etage::redis::testing {
namespace {

using base::Counter;
using coherence::position_of;
using coherence::Sight;
using coherence::Softness;
using coherence::Validity;
using ::testing::Contains;
using ::testing::HasSubstr;

using Log = LogFixture;

// --- attaching

TEST_F(Log, TheFirstInstanceBeginsAHistoryAboveTheClock) {
    const auto began = static_cast<std::uint64_t>(server.now_ms());
    start();
    EXPECT_TRUE(log().view().attached);
    ASSERT_EQ(server.records.size(), 1U);
    const auto& [id, fields] = *server.records.begin();
    EXPECT_THAT(fields, Contains("genesis"));
    EXPECT_EQ(id.ms, began + coherence::history_leap_ms);
    EXPECT_EQ(engine.floor(), position_of(id));
    EXPECT_EQ(sum(Counter::log_histories), 1U);
}

TEST_F(Log, AColdInstanceReplaysWhatIsRetained) {
    start();
    server.add({"tag", "a"});
    server.add({"tag", "b", "soft", "1"});
    pass(10ms);
    const Sequence first = engine.floor();
    const Sequence last = engine.fence();

    coherence::Engine other;
    LogClient way{server};
    RedisLog second(way, other, metrics, quiet, [](const auto& what) { return tags(what); }, nullptr, options);
    bool second_ended = false;
    asio::co_spawn(io, second.work(), [&](const std::exception_ptr&) { second_ended = true; });
    settle();
    EXPECT_EQ(second.generation().load(), log().generation().load());
    EXPECT_EQ(other.floor(), first);
    EXPECT_EQ(other.fence(), last);
    EXPECT_EQ(other.judge(first, std::vector{tag("a")}), Validity::gone);
    EXPECT_EQ(other.judge(first, std::vector{tag("b")}), Validity::stale);
    EXPECT_EQ(other.judge(first, std::vector{tag("c")}), Validity::valid);
    EXPECT_EQ(other.judge(first - 1, std::vector{tag("c")}), Validity::unsure);
    EXPECT_EQ(server.live.size(), 2U);
    second.end();
    pass(1s);
    EXPECT_TRUE(second_ended);
    EXPECT_EQ(server.live.size(), 1U) << "who leaves says so";
}

TEST_F(Log, AReplayLongerThanABatchIsNotTakenForTheWhole) {
    start();
    for (int i = 0; i < 2500; ++i) server.add({"tag", std::to_string(i)});
    server.is_mute = false;
    coherence::Engine other;
    LogClient way{server};
    RedisLog second(way, other, metrics, quiet, [](const auto& what) { return tags(what); }, nullptr, options);
    bool second_ended = false;
    asio::co_spawn(io, second.work(), [&](const std::exception_ptr&) { second_ended = true; });
    while (other.fence() != position_of(server.last)) {
        EXPECT_EQ(second.generation().load(), 0U) << "what lies in Redis does not count yet";
        EXPECT_EQ(other.sight(Instant::max()), Sight::blind);
        EXPECT_EQ(other.sight(clock.now().mono), Sight::dim);
        io.restart();
        ASSERT_GT(io.poll_one(), 0U);
    }
    pass(10ms);
    EXPECT_NE(second.generation().load(), 0U);
    second.end();
    pass(1s);
    EXPECT_TRUE(second_ended);
}

TEST_F(Log, AReplicaIsNotReadFrom) {
    server.role = "slave";
    start();
    pass(1s);
    EXPECT_FALSE(log().view().attached);
    EXPECT_EQ(log().view().trouble, "it is a replica");
    server.role = "master";
    pass(1s);
    EXPECT_TRUE(log().view().attached);
    EXPECT_EQ(log().view().trouble, "");
}

TEST_F(Log, WhatIsNoStreamIsReplaced) {
    server.kind = "string";
    start();
    EXPECT_TRUE(log().view().attached);
    EXPECT_EQ(server.kind, "stream");
}

// --- appending

TEST_F(Log, AnInvalidationIsRecordedAndHoldsAtItsPosition) {
    start();
    const Sequence before = engine.fence();
    const auto token = invalidate("posts");
    ASSERT_TRUE(token) << token.error().what;
    EXPECT_EQ(*token, position_of(server.last));
    EXPECT_THAT(server.records.rbegin()->second, Contains("posts"));
    EXPECT_EQ(judge(before, "posts"), Validity::gone);
    EXPECT_EQ(judge(*token - 1, "posts"), Validity::gone) << "of an instance that is ahead";
    EXPECT_EQ(judge(*token, "posts"), Validity::valid);
    pass(10ms);
    EXPECT_EQ(engine.fence(), *token);
    EXPECT_EQ(sum(Counter::invalidations), 1U);
}

TEST_F(Log, BeforeItIsAttachedAnInvalidationWaits) {
    const auto waiting = begin(log().invalidate(hard("posts"), in(100ms)));
    EXPECT_FALSE(*waiting);
    start();
    pass(10ms);
    ASSERT_TRUE(*waiting);
    EXPECT_TRUE(waiting->value());
}

TEST_F(Log, WhatCannotBeRecordedHoldsHereAndIsRetried) {
    start();
    invalidate("other");
    pass(10ms);
    server.is_down = true;
    client.cut();
    const Sequence before = engine.fence();
    const auto refused = invalidate("posts");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::not_recorded);
    EXPECT_EQ(refused.error().blame, Blame::remote_store);
    EXPECT_EQ(judge(before, "posts"), Validity::gone);
    EXPECT_EQ(log().view().queued, 1U);
    pass(3s);
    EXPECT_EQ(log().view().queued, 1U);
    EXPECT_EQ(sum(Counter::invalidations_queued), 1U);

    server.is_down = false;
    pass(2s);
    EXPECT_EQ(log().view().queued, 0U);
    EXPECT_TRUE(server.has_recorded("posts"));
}

TEST_F(Log, WhatIsQueuedHoldsHoweverFarTheReaderMoves) {
    start();
    pass(10ms);
    server.refusal = "OOM command not allowed when used memory > 'maxmemory'.";
    const auto refused = invalidate("posts");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("OOM"));
    server.refusal.clear();
    client.loses_replies = true;  // appends are heard, and not known to be
    server.add({"tag", "x"});
    pass(20ms);
    EXPECT_EQ(judge(engine.fence(), "posts"), Validity::gone);
    EXPECT_EQ(judge(engine.fence(), "other"), Validity::valid);
    client.loses_replies = false;
    pass(3s);
    EXPECT_EQ(judge(engine.fence(), "posts"), Validity::valid);
    EXPECT_EQ(log().view().queued, 0U);
}

TEST_F(Log, AnAppendWhoseReplyIsLostIsNotAcknowledgedAndAppendedAgain) {
    start();
    client.loses_replies = true;
    EXPECT_FALSE(invalidate("posts"));
    const auto count = [&] {
        std::size_t n = 0;
        for (const auto& [id, fields] : server.records) n += std::ranges::count(fields, "posts") > 0 ? 1U : 0U;
        return n;
    };
    EXPECT_GE(count(), 1U);
    client.loses_replies = false;
    pass(3s);
    EXPECT_GE(count(), 2U);
    EXPECT_EQ(log().view().queued, 0U);
}

TEST_F(Log, AServerThatIsAnotherOneThanTheReaderReadsFromGetsNothing) {
    start();
    pass(10ms);
    LogServer promoted;  // it has the generation of its predecessor, and has lost the tail
    promoted.generation = server.generation;
    promoted.records = server.records;
    promoted.last = server.last;
    promoted.kind = "stream";
    promoted.identity = "run2:repl2";
    ASSERT_TRUE(invalidate("lost"));
    pass(10ms);
    client.server = &promoted;
    const auto refused = invalidate("posts");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("new history"));

    const Sequence before = engine.fence();
    pass(2s);  // nobody cuts anything: whoever is refused looks for another server
    EXPECT_GT(engine.floor(), before) << "the new history begins above all that was known";
    std::vector<std::string> texts;
    for (const auto& [id, fields] : promoted.records) texts.insert(texts.end(), fields.begin(), fields.end());
    EXPECT_THAT(texts, Contains("posts"));
    EXPECT_THAT(texts, Contains("lost")) << "what it appended to the lost tail is appended again";
    stop();  // before its server goes
}

TEST_F(Log, AnAppendThatIsAnsweredWhenItsHistoryIsOverIsAppendedAgain) {
    start();
    pass(10ms);
    client.answers_after = 2s;
    const auto late = begin(log().invalidate(hard("late"), in(5s)));
    client.answers_after = {};
    EXPECT_EQ(server.records.size(), 2U) << "it stands in the log, and its answer is on its way";
    server.restart("run2:repl2", 1);  // the tail is lost
    client.cut();
    pass(1s);
    EXPECT_FALSE(*late);
    pass(2s);
    ASSERT_TRUE(*late);
    std::vector<std::string> texts;
    for (const auto& [id, fields] : server.records) texts.insert(texts.end(), fields.begin(), fields.end());
    EXPECT_THAT(texts, Contains("late"));
}

TEST_F(Log, AnAppendThatIsAnsweredWhenItsHistoryIsOverHoldsHere) {
    start();
    pass(10ms);
    client.answers_after = 2s;
    const auto late = begin(log().invalidate(hard("late"), in(5s)));
    client.answers_after = {};
    server.restart("run2:repl2", 1);  // the tail is lost
    client.cut();
    pass(1s);
    ASSERT_FALSE(*late);
    server.refusal = "OOM command not allowed when used memory > 'maxmemory'.";  // it cannot be appended again yet
    pass(2s);
    ASSERT_TRUE(*late);
    ASSERT_EQ(log().view().queued, 1U);
    EXPECT_EQ(judge(engine.fence(), "late"), Validity::gone) << "others may have filled it in the new history";
    EXPECT_EQ(judge(engine.fence(), "other"), Validity::valid);
    server.refusal.clear();
    pass(3s);
    EXPECT_EQ(log().view().queued, 0U);
    EXPECT_EQ(judge(engine.fence(), "late"), Validity::valid);
}

TEST_F(Log, WhenAHistoryEndsAnInvalidationWaitsForTheNextOne) {
    start();
    pass(10ms);
    server.flush_all();
    const auto waiting = begin(log().invalidate(hard("posts"), in(2s)));
    EXPECT_FALSE(*waiting);
    pass(1s);
    ASSERT_TRUE(*waiting);
    EXPECT_TRUE(waiting->value());
    EXPECT_EQ(sum(Counter::invalidations_queued), 0U);
}

TEST_F(Log, WhileItCannotBeReadAnInvalidationIsRefusedAtOnce) {
    server.is_down = true;
    start();
    const auto refused = begin(log().invalidate(hard("posts"), in(2s)));
    ASSERT_TRUE(*refused);
    EXPECT_FALSE(refused->value());
}

TEST_F(Log, ALargeInvalidationIsSeveralRecordsAndOneToken) {
    start();
    flow::Invalidation large;
    for (int i = 0; i < 5000; ++i) large.targets.push_back({flow::Target::Kind::tag, "tag" + std::to_string(i)});
    const auto done = begin(log().invalidate(large, in(1s)));
    pass(50ms);
    ASSERT_TRUE(*done);
    EXPECT_EQ(done->value().value(), position_of(server.last));
    EXPECT_GT(server.records.size(), 3U);
    EXPECT_EQ(judge(engine.floor(), "tag0"), Validity::gone);
    EXPECT_EQ(judge(engine.floor(), "tag4999"), Validity::gone);
}

TEST_F(Log, SettleAppendsASecondRecord) {
    options.settle = 2s;
    start();
    const auto token = invalidate("posts");
    ASSERT_TRUE(token);
    pass(1900ms);
    EXPECT_EQ(server.records.size(), 2U);
    pass(200ms);
    EXPECT_EQ(server.records.size(), 3U);
    EXPECT_GT(engine.fence(), *token);
    pass(5s);
    EXPECT_EQ(server.records.size(), 3U) << "once";
}

// --- reading

TEST_F(Log, ForeignRecordsAreApplied) {
    start();
    pass(10ms);
    const Sequence before = engine.fence();
    server.add({"tag", "a"});
    pass(10ms);
    EXPECT_EQ(judge(before, "a"), Validity::gone);
    EXPECT_EQ(judge(engine.fence(), "a"), Validity::valid);
    server.add({"tags", "a"});
    pass(10ms);
    EXPECT_EQ(judge(before, "b"), Validity::gone) << "what is not understood invalidates everything";
    EXPECT_EQ(sum(Counter::log_records_unreadable), 1U);
}

TEST_F(Log, ATokenIsReachedWhenItsRecordHasBeenRead) {
    start();
    const auto token = position_of({server.last.ms, server.last.n + 1});
    const auto reached = begin(log().reach(token, in(1s)));
    const auto never = begin(log().reach(token + 1, in(500ms)));
    pass(200ms);
    EXPECT_FALSE(*reached);
    server.add({"tag", "a"});
    pass(10ms);
    EXPECT_EQ(*reached, true);
    pass(500ms);
    EXPECT_EQ(*never, false);
}

TEST_F(Log, AfterACutItReadsOnWhereItWas) {
    start();
    server.add({"tag", "a"});
    pass(10ms);
    const Sequence floor = engine.floor();
    client.cut();
    server.add({"tag", "b"});
    pass(1s);
    EXPECT_EQ(engine.fence(), position_of(server.last));
    EXPECT_EQ(engine.floor(), floor);
    EXPECT_EQ(sum(Counter::log_gaps), 0U);
    EXPECT_EQ(sum(Counter::log_reattached), 1U);
}

TEST_F(Log, WhatWasTrimmedWhileItWasAwayIsAGap) {
    start();
    pass(10ms);
    client.cut();
    for (int i = 0; i < 5; ++i) server.add({"tag", "a"});
    server.records.erase(server.records.begin(), std::prev(server.records.end(), 2));
    pass(1s);
    EXPECT_EQ(engine.floor(), position_of(server.last));
    EXPECT_EQ(sum(Counter::log_gaps), 1U);
    EXPECT_EQ(judge(engine.floor() - 1, "b"), Validity::unsure);
}

TEST_F(Log, WhatIsTrimmedBehindItsBackIsNotApplied) {
    start();
    pass(10ms);
    for (int i = 0; i < 5; ++i) server.add({"tag", "a"});
    server.records.erase(server.records.begin(), std::prev(server.records.end(), 2));
    pass(1s);
    EXPECT_EQ(engine.floor(), position_of(server.last));
}

TEST_F(Log, EverythingDeletedIsANewHistoryAndOwnRecordsComeBack) {
    start();
    ASSERT_TRUE(invalidate("posts"));
    pass(10ms);
    const Sequence before = engine.fence();
    const auto generation = log().generation().load();
    server.flush_all();
    pass(1s);
    EXPECT_GT(engine.floor(), before);
    EXPECT_NE(log().generation().load(), generation);
    EXPECT_TRUE(server.has_recorded("posts"));
    EXPECT_EQ(judge(before, "posts"), Validity::gone);
    EXPECT_EQ(judge(before, "other"), Validity::unsure);
    EXPECT_EQ(server.live.size(), 1U);
}

TEST_F(Log, OnlyTheStreamDeleted) {
    start();
    pass(10ms);
    const Sequence before = engine.fence();
    server.remove_log();
    pass(1s);
    EXPECT_GT(engine.floor(), before);
    EXPECT_TRUE(log().view().attached);
    const Sequence renewed = engine.floor();
    server.remove_log();
    server.add({"tag", "a"});  // and somebody appended before it was noticed, by a clock below what was read
    ASSERT_LT(position_of(server.last), renewed);
    pass(1s);
    EXPECT_GT(engine.floor(), renewed);
    EXPECT_TRUE(log().view().attached);
}

TEST_F(Log, ARestartedServerMayHaveLostItsTail) {
    start();
    ASSERT_TRUE(invalidate("posts"));
    pass(10ms);
    const Sequence before = engine.fence();
    server.restart("run2:repl1", 1);
    client.cut();
    pass(1s);
    EXPECT_GT(engine.floor(), before);
    EXPECT_EQ(sum(Counter::log_histories), 2U);
    EXPECT_TRUE(server.has_recorded("posts"));
}

TEST_F(Log, OwnRecordsThatAreOldAreNotAppendedAgain) {
    start();
    ASSERT_TRUE(invalidate("posts"));
    pass(31s);
    server.flush_all();
    pass(1s);
    EXPECT_EQ(server.records.size(), 1U);
}

TEST_F(Log, AnIdOutOfAllBoundsIsAppliedAndTheLogBegunAnew) {
    start();
    pass(10ms);
    const Sequence before = engine.fence();
    server.add({"tag", "a"}, StreamId{1'790'000'000'000'000, 0});
    pass(1s);
    EXPECT_EQ(judge(before, "a"), Validity::gone);
    EXPECT_TRUE(log().view().attached);
    EXPECT_LT(server.last.ms, coherence::largest_ms);
    const auto token = invalidate("posts");
    ASSERT_TRUE(token) << token.error().what;
}

TEST_F(Log, TooManyInOneMillisecondLoseNothing) {
    start();
    pass(10ms);
    const auto ms = server.last.ms;
    server.add({"tag", "a"}, StreamId{ms, coherence::largest_n});
    pass(10ms);
    server.add({"tag", "b"}, StreamId{ms, coherence::largest_n + 1});
    server.add({"tag", "c"});
    pass(10ms);
    const Sequence shared = position_of({ms, coherence::largest_n});
    EXPECT_EQ(judge(shared, "b"), Validity::gone);
    EXPECT_EQ(judge(shared, "c"), Validity::gone);
    EXPECT_EQ(judge(shared, "a"), Validity::valid);
    EXPECT_GE(server.last, (StreamId{ms + 1, 0})) << "from here on ids have positions of their own";
    const auto token = invalidate("d");
    ASSERT_TRUE(token) << token.error().what;
    pass(20ms);
    EXPECT_EQ(judge(engine.fence(), "b"), Validity::valid);
    EXPECT_EQ(sum(Counter::log_gaps), 0U);
}

TEST_F(Log, ARecordThatIsTooLongAloneIsPassedOver) {
    start();
    pass(10ms);
    server.reply_records_max = 0;  // every batch with a record in it breaks the connection
    server.add({"tag", "a"});
    pass(3s);
    EXPECT_EQ(engine.floor(), position_of(server.last));
    EXPECT_EQ(sum(Counter::log_gaps), 1U);
    EXPECT_TRUE(log().view().attached);
}

TEST_F(Log, AReplyThatIsTooLongIsAskedForInPieces) {
    start();
    pass(10ms);
    server.reply_records_max = 5;
    const Sequence floor = engine.floor();
    for (int i = 0; i < 50; ++i) server.add({"tag", "a"});
    pass(5s);
    EXPECT_EQ(engine.fence(), position_of(server.last));
    EXPECT_EQ(engine.floor(), floor);
}

// --- sight

TEST_F(Log, WhoHearsNothingIsDimAndThenBlind) {
    start();
    pass(10ms);
    EXPECT_EQ(sight(), Sight::clear);
    server.is_down = true;
    client.cut();
    pass(900ms);
    EXPECT_EQ(sight(), Sight::clear);
    pass(200ms);
    EXPECT_EQ(sight(), Sight::dim);
    pass(30s);
    EXPECT_EQ(sight(), Sight::blind);
    EXPECT_THAT(log().view().trouble, HasSubstr("refused"));
    server.is_down = false;
    pass(1s);
    EXPECT_EQ(sight(), Sight::clear);
}

TEST_F(Log, StrictIsBlindAtOnce) {
    options.strict = true;
    server.is_down = true;
    start();
    EXPECT_EQ(sight(), Sight::blind);
    server.is_down = false;
    pass(1s);
    EXPECT_EQ(sight(), Sight::clear);
    server.is_mute = true;
    pass(1100ms);
    EXPECT_EQ(sight(), Sight::blind);
    server.is_mute = false;
    pass(4s);
    EXPECT_EQ(sight(), Sight::clear);
}

TEST_F(Log, AtTheStartItIsDimUntilItIsBlind) {
    server.is_down = true;
    start();
    EXPECT_EQ(sight(), Sight::dim);
    pass(31s);
    EXPECT_EQ(sight(), Sight::blind);
}

TEST_F(Log, WhoCannotSayThatItLivesDoesNotSeeClearly) {
    start();
    pass(10ms);
    server.refusal = "OOM command not allowed";
    pass(1500ms);
    EXPECT_EQ(sight(), Sight::dim);
    EXPECT_THAT(log().view().trouble, HasSubstr("OOM"));
    server.refusal.clear();
    pass(1s);
    EXPECT_EQ(sight(), Sight::clear);
}

TEST_F(Log, WhoCannotSayThatItLivesForLongLooksForAnotherServer) {
    start();
    pass(10ms);
    LogServer promoted;
    server.refusal = "NOREPLICAS Not enough good replicas to write.";
    client.server = &promoted;
    pass(5s);
    EXPECT_EQ(promoted.live.size(), 1U);
    EXPECT_EQ(sight(), Sight::clear);
    stop();
}

// --- receipts

TEST_F(Log, AReceiptWaitsForAllWhoLive) {
    start();
    pass(2s);  // the history is older than a lease
    server.live["slow"] = {0, server.now_ms() + 60'000};
    server.live["dead"] = {0, server.now_ms() - 1};
    const auto token = invalidate("posts");
    ASSERT_TRUE(token);
    const auto waiting = begin(log().receipt(*token, in(5s)));
    pass(1s);
    EXPECT_FALSE(*waiting);
    server.live["slow"].first = *token;
    pass(50ms);
    ASSERT_TRUE(*waiting);
    EXPECT_EQ((*waiting)->confirmed, 2U);
    EXPECT_EQ((*waiting)->live, 2U);
}

TEST_F(Log, WhoseLeaseLapsesIsNotWaitedFor) {
    start();
    pass(2s);
    server.live["frozen"] = {0, server.now_ms() + 500};
    const auto token = invalidate("posts");
    const auto waiting = begin(log().receipt(*token, in(5s)));
    pass(400ms);
    EXPECT_FALSE(*waiting);
    pass(200ms);
    ASSERT_TRUE(*waiting);
    EXPECT_EQ((*waiting)->confirmed, 1U);
    EXPECT_EQ((*waiting)->live, 1U);
}

TEST_F(Log, AtTheDeadlineAReceiptSaysHowItStands) {
    start();
    pass(2s);
    server.live["slow"] = {0, server.now_ms() + 60'000};
    const auto token = invalidate("posts");
    const auto waiting = begin(log().receipt(*token, in(300ms)));
    pass(400ms);
    ASSERT_TRUE(*waiting);
    EXPECT_EQ((*waiting)->confirmed, 1U);
    EXPECT_EQ((*waiting)->live, 2U);
}

struct LogReceipt : Log {
    void expect_nobody_knows_who_lives_for_a_lease() {
        const auto token = invalidate("posts");
        ASSERT_TRUE(token);
        const auto waiting = begin(log().receipt(*token, in(5s)));
        pass(800ms);
        EXPECT_FALSE(*waiting);
        pass(300ms);
        ASSERT_TRUE(*waiting);
        EXPECT_EQ((*waiting)->live, 1U);
    }
};

TEST_F(LogReceipt, InAYoungHistoryNobodyKnowsWhoLives) {
    start();
    expect_nobody_knows_who_lives_for_a_lease();
}

/// Whoever was in the list before may still answer from what was invalidated.
TEST_F(LogReceipt, InAYoungListNobodyKnowsWhoLives) {
    start();
    pass(2s);
    server.remove_live();
    expect_nobody_knows_who_lives_for_a_lease();
}

// --- self-check

TEST_F(Log, SomeInvalidationsAreLookedAtAgain) {
    start();
    const auto token = invalidate("posts");
    ASSERT_TRUE(token);
    invalidate("too soon for another one");
    pass(900ms);
    EXPECT_EQ(examined.size(), 0U);
    pass(300ms);
    EXPECT_EQ(examined, std::vector{*token});
    pass(9s);
    EXPECT_EQ(examined.size(), 2U);
    is_fine = false;
    pass(51s);
    EXPECT_EQ(examined.size(), 3U);
    EXPECT_EQ(sum(Counter::coherence_checks), 3U);
    EXPECT_EQ(sum(Counter::coherence_violations), 1U);
    pass(60s);
    EXPECT_EQ(examined.size(), 3U);
}

// --- leaving

TEST_F(Log, WhoEndsAppendsWhatIsLeftAndLeaves) {
    start();
    pass(10ms);
    EXPECT_EQ(server.live.size(), 1U);
    server.refusal = "OOM";
    EXPECT_FALSE(invalidate("posts"));
    server.refusal.clear();
    stop();
    EXPECT_THAT(server.records.rbegin()->second, Contains("posts"));
    EXPECT_TRUE(server.live.empty());
}

}  // namespace
}  // namespace etage::redis::testing
