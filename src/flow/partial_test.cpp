#include "flow/walk_fixture.hpp"
#include "http/range.hpp"

#include <rapidcheck.h>

#include <algorithm>

namespace etage::flow::testing {
namespace {

/// An origin that knows ranges, as a file server does.
struct Parts : ::testing::Test {
    Parts() {
        house.origin.script = [this](const Seen& seen) {
            Say say;
            say.fields = {{"Cache-Control", cache_control}, {"Content-Type", "text/plain"}, {"X-Count", count()}};
            if (!etag.empty()) say.fields.emplace_back("ETag", etag);
            if (http::find(seen.fields, http::FieldId::if_none_match) == etag) return say.status = 304, say;
            say.body = text;
            say.stream = say.sized = streams;
            say.piece_bytes = std::max<std::size_t>(5, text.size() / 50);
            const auto if_range = http::find(seen.fields, http::FieldId::if_range);
            if (!knows_ranges || (if_range && *if_range != etag)) return say;
            const auto found = http::resolve(http::parse_range(seen.fields), text.size());
            if (found.answer() != http::ResolvedRanges::Answer::partial) return say;
            const auto range = found.ranges().front();
            say.status = 206;
            http::RangeText out;
            say.fields.emplace_back("Content-Range",
                                    lie.empty() ? http::write_content_range(out, range, text.size()) : lie);
            say.body = text.substr(range.first, range.size());
            return say;
        };
    }

    std::string count() const { return std::to_string(house.origin.seen.size()); }
    std::size_t asked() const { return house.origin.seen.size(); }
    std::string asked_last(const char* name) const {
        return std::string(http::joined(house.origin.seen.back().fields, name).value_or(""));
    }
    Reply part(const std::string& range, std::vector<std::string> more = {}) {
        more.push_back("Range: bytes=" + range);
        return house.get("GET /a", more);
    }

    TestHouse house;
    std::string cache_control = "max-age=60";
    std::string etag = "\"1\"";
    std::string text = "0123456789";
    std::string lie;
    bool knows_ranges = true;
    bool streams = false;
};

TEST_F(Parts, Rfc9111_Section3_3_APartIsStoredAndSmallerOnesAreServedFromIt) {
    const Reply first = part("-5");
    EXPECT_EQ(first.status, 206);
    EXPECT_EQ(first.body, "56789");
    EXPECT_EQ(first["content-range"], "bytes 5-9/10");
    EXPECT_EQ(first["content-length"], "5");
    EXPECT_EQ(first["cache-status"], "etage; fwd=uri-miss; fwd-status=206; stored; ttl=60; detail=range");
    EXPECT_EQ(asked_last("range"), "bytes=-5");
    for (const auto& [range, body, field] :
         {std::tuple{"-5", "56789", "bytes 5-9/10"}, std::tuple{"6-8", "678", "bytes 6-8/10"},
          std::tuple{"6-", "6789", "bytes 6-9/10"}, std::tuple{"-1", "9", "bytes 9-9/10"}}) {
        const Reply again = part(range);
        EXPECT_EQ(again.status, 206) << range;
        EXPECT_EQ(again.body, body);
        EXPECT_EQ(again["content-range"], field);
        EXPECT_EQ(again["etag"], "\"1\"");
        EXPECT_EQ(again["cache-status"], "etage; hit; ttl=60");
    }
    EXPECT_EQ(asked(), 1U);
}

TEST_F(Parts, Rfc9111_Section3_4_TheRestIsEnoughForTheWhole) {
    part("0-4");
    const Reply whole = house.get("GET /a");
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.body, text);
    EXPECT_EQ(whole["content-range"], "");
    EXPECT_EQ(whole["content-length"], "10");
    EXPECT_EQ(whole["x-count"], "2") << "RFC 9110 §15.3.7.3: fields of the newer response";
    EXPECT_EQ(whole["cache-status"], "etage; fwd=partial; fwd-status=200; stored; ttl=60");
    EXPECT_EQ(asked_last("range"), "bytes=5-");
    EXPECT_EQ(asked_last("if-range"), "\"1\"");
    EXPECT_EQ(house.get("GET /a")["cache-status"], "etage; hit; ttl=60");
    EXPECT_EQ(house.store.usage().entries, 1U) << "the part is of no use any more";
}

TEST_F(Parts, Rfc9111_Section3_4_TheMissingBeginning) {
    part("-4");
    EXPECT_EQ(house.get("GET /a").body, text);
    EXPECT_EQ(asked_last("range"), "bytes=0-5");
}

TEST_F(Parts, Rfc9110_Section15_3_7_3_OtherRepresentationsAreNotPutTogether) {
    part("0-4");
    text = "abcdefghij";
    etag = "\"2\"";
    const Reply whole = house.get("GET /a");
    EXPECT_EQ(whole.body, text) << "If-Range did not hold: the whole";
    EXPECT_EQ(asked(), 2U);
}

TEST_F(Parts, Rfc9110_Section15_3_7_3_WithoutAStrongValidatorTheWholeIsFetchedAgain) {
    for (const char* validator : {"", "W/\"1\""}) {
        TestHouse& h = house;
        h.store.clear();
        etag = validator;
        part("0-4");
        const std::size_t before = asked();
        const Reply whole = h.get("GET /a");
        EXPECT_EQ(whole.status, 200);
        EXPECT_EQ(whole.body, text);
        EXPECT_EQ(asked_last("range"), "");
        EXPECT_EQ(asked(), before + 2) << "the rest was asked for in vain, once";
        EXPECT_EQ(h.get("GET /a")["cache-status"], "etage; hit; ttl=60");
    }
}

TEST_F(Parts, PartsThatTouchGrowTogetherUntilTheyAreWhole) {
    text = std::string(300'000, 'x');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
    part("0-99999");
    EXPECT_EQ(part("100000-199999")["cache-status"],
              "etage; fwd=partial; fwd-status=206; stored; ttl=60; detail=range");
    EXPECT_EQ(part("50000-150000").body, text.substr(50'000, 100'001));
    EXPECT_EQ(asked(), 2U);
    part("200000-");
    EXPECT_EQ(asked(), 3U);
    const Reply whole = house.get("GET /a");
    EXPECT_TRUE(whole.verdict.hit);
    EXPECT_EQ(whole.body, text);
    EXPECT_EQ(house.store.usage().entries, 1U);
}

TEST_F(Parts, OfSomethingSmallTheSecondRangeBringsTheWhole) {
    part("2-3");
    const Reply other = part("7-8");
    EXPECT_EQ(other.status, 206);
    EXPECT_EQ(other.body, "78");
    EXPECT_EQ(asked_last("range"), "");
    for (const char* range : {"0-0", "1-1", "9-9", "4-6"}) EXPECT_TRUE(part(range).verdict.hit) << range;
    EXPECT_EQ(asked(), 2U);
}

TEST_F(Parts, AllOfItInARangeIsTheWhole) {
    EXPECT_EQ(part("0-").status, 206);
    const Reply whole = house.get("GET /a");
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.body, text);
    EXPECT_EQ(asked(), 1U);
}

TEST_F(Parts, StreamedOnesAreStoredToo) {
    streams = true;
    EXPECT_EQ(part("0-6").body, "0123456");
    EXPECT_EQ(part("1-2").body, "12");
    EXPECT_EQ(house.get("GET /a").body, text);
    EXPECT_EQ(asked_last("range"), "bytes=7-");
    EXPECT_EQ(asked(), 2U);
}

TEST_F(Parts, LargeOnesStreamToAllWhoAskTheSame) {
    text = std::string(600'000, 'y');
    streams = true;
    const auto one = house.ask("GET /a", {"Range: bytes=0-299999"});
    const auto two = house.ask("GET /a", {"Range: bytes=0-299999"});
    house.pass(90ms);
    EXPECT_EQ(asked(), 1U);
    for (const auto& reply : {one, two}) {
        EXPECT_EQ(reply->status, 206);
        EXPECT_EQ((*reply)["content-range"], "bytes 0-299999/600000");
        EXPECT_EQ(reply->body.size(), 300'000U);
    }
}

TEST_F(Parts, AWholeThatIsThereIsNeverDisplaced) {  // law 10
    house.get("GET /a");
    EXPECT_TRUE(part("0-4").verdict.hit);
    EXPECT_EQ(asked(), 1U);
    part("0-4", {"Cache-Control: no-cache"});
    EXPECT_EQ(house.get("GET /a").body, text);
    EXPECT_EQ(asked(), 2U);
}

TEST_F(Parts, AnOriginThatKnowsNoRangesIsAskedOnce) {
    knows_ranges = false;
    const Reply first = part("2-3");
    EXPECT_EQ(first.status, 206);
    EXPECT_EQ(first.body, "23");
    EXPECT_TRUE(house.get("GET /a").verdict.hit);
}

TEST_F(Parts, WhatContradictsItselfIsPassedOnAndNotStored) {
    for (const char* said : {"bytes 4-9/10", "bytes 0-4/*", "bytes 4-0/10", "lines 0-4/10"}) {
        lie = said;
        const Reply reply = part("0-4");
        EXPECT_EQ(reply.status, 206) << said;
        EXPECT_EQ(reply.body, "01234");
        EXPECT_EQ(reply["content-range"], said);
        EXPECT_FALSE(reply.verdict.stored) << said;
        EXPECT_EQ(house.store.usage().entries, 0U) << said;
    }
}

TEST_F(Parts, Rfc9110_Section15_3_7_AnotherPartThanWasAskedForIsWhatItSaysItIs) {
    lie = "bytes 0-4/10";
    const Reply reply = part("-5");
    EXPECT_EQ(reply.status, 206);
    EXPECT_EQ(reply["content-range"], lie);
    EXPECT_EQ(reply["content-length"], "5");
    EXPECT_EQ(reply.body, "56789");
    EXPECT_TRUE(part("0-1").verdict.hit);
    lie.clear();
    house.get("GET /a");
    EXPECT_EQ(asked_last("range"), "bytes=5-");
}

TEST_F(Parts, Rfc9110_Section15_3_7_A206ThatNobodyAskedForIsNotStored) {
    house.origin.script = [](const Seen&) {
        return Say{206, {{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 0-4/10"}}, "01234"};
    };
    for (int i = 0; i < 2; ++i) {
        const Reply reply = house.get("GET /a");
        EXPECT_EQ(reply.status, 206);
        EXPECT_FALSE(reply.verdict.stored);
    }
    EXPECT_EQ(house.store.usage().entries, 0U);
}

TEST_F(Parts, Rfc9110_Section13_1_5_IfRangeDecides) {
    EXPECT_EQ(part("0-4", {"If-Range: \"2\""}).status, 200) << "asked of the origin, which has another";
    EXPECT_EQ(asked_last("if-range"), "\"2\"");
    house.store.clear();
    EXPECT_EQ(part("0-4", {"If-Range: \"1\""}).status, 206);
    EXPECT_TRUE(part("0-4", {"If-Range: \"1\""}).verdict.hit);
    EXPECT_EQ(part("0-4", {"If-Range: \"2\""}).status, 200);
}

TEST_F(Parts, Rfc9111_Section4_3_AStalePartIsValidated) {
    part("0-4");
    house.pass(61s);
    const Reply again = part("1-2");
    EXPECT_EQ(again.status, 206);
    EXPECT_EQ(again.body, "12");
    EXPECT_EQ(again["content-range"], "bytes 1-2/10");
    EXPECT_EQ(again["cache-status"], "etage; fwd=stale; fwd-status=304; stored; ttl=60; detail=range");
    EXPECT_EQ(asked_last("if-none-match"), "\"1\"");
    EXPECT_TRUE(part("0-4").verdict.hit);
    EXPECT_EQ(asked(), 2U);
}

TEST_F(Parts, Rfc9111_Section4_2_4_AStalePartWhenTheOriginIsGone) {
    part("0-4");
    house.pass(61s);
    house.origin.script = [](const Seen&) { return Say{.fault = Fault::origin_unreachable}; };
    EXPECT_EQ(part("1-2").body, "12");
    EXPECT_EQ(part("1-7").status, 502);
}

TEST_F(Parts, Rfc9211_Section2_ItIsSaidWhyAPartWasUsedOrAskedAbout) {
    part("0-4");
    EXPECT_EQ(part("0-4", {"Cache-Control: no-cache"})["cache-status"],
              "etage; fwd=request; fwd-status=304; stored; ttl=60; detail=range");
    house.pass(61s);
    EXPECT_EQ(part("1-2", {"Cache-Control: max-stale=60"})["cache-status"], "etage; hit; ttl=-1; detail=max-stale");
}

TEST_F(Parts, AnInvalidatedPartIsGone) {
    part("0-4");
    text = "abcdefghij";
    house.get("POST /a");
    EXPECT_EQ(part("0-4").body, "abcde");
    EXPECT_EQ(house.get("GET /a").body, text);
}

TEST_F(Parts, Rfc9111_Section4_1_PartsHaveTheirVariants) {
    const auto ranges = house.origin.script;
    house.origin.script = [&](const Seen& seen) {
        const auto who = http::joined(seen.fields, "x-who");
        text = who ? std::string(10, who->front()) : std::string("0123456789");
        etag = "\"" + text + "\"";
        Say say = ranges(seen);
        say.fields.emplace_back("Vary", "X-Who");
        return say;
    };
    EXPECT_EQ(part("0-4", {"X-Who: a"}).body, "aaaaa");
    EXPECT_EQ(part("0-4", {"X-Who: b"}).body, "bbbbb");
    EXPECT_TRUE(part("0-4", {"X-Who: a"}).verdict.hit);
    EXPECT_EQ(part("0-4", {"X-Who: a"}).body, "aaaaa");
    EXPECT_EQ(house.get("GET /a", {"X-Who: b"}).body, "bbbbbbbbbb");
    EXPECT_EQ(asked(), 3U);
}

TEST_F(Parts, Rfc9111_Section5_2_1_7_OnlyIfCachedIsContentWithAPart) {
    part("0-4");
    EXPECT_EQ(part("0-3", {"Cache-Control: only-if-cached"}).status, 206);
    EXPECT_EQ(part("0-5", {"Cache-Control: only-if-cached"}).status, 504);
}

TEST_F(Parts, Rfc9111_Section3_5_CredentialsGetNoPartThatIsNotForThem) {
    part("0-4");
    part("0-4", {"Authorization: Basic eDp5"});
    EXPECT_EQ(asked(), 2U);
}

TEST_F(Parts, Rfc9110_Section15_5_17_A416IsNotStored) {
    house.origin.script = [](const Seen&) {
        return Say{416, {{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes */10"}}, ""};
    };
    for (std::size_t i = 1; i <= 2; ++i) {
        EXPECT_EQ(part("20-").status, 416);
        EXPECT_EQ(asked(), i);
    }
    EXPECT_EQ(house.store.usage().entries, 0U);
}

// ---- whatever happens

/// What clients may do, and what may happen to the origin meanwhile.
void live_with_parts(Parts& p) {
    const auto any = [](int below) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, below)); };
    const std::size_t size = *rc::gen::element<std::size_t>(20, 300'000);
    int version = 0;
    int known = 0;  // what a client was told of last by an invalidation: nothing older may come
    const auto publish = [&] {
        p.text = std::string(size, static_cast<char>('a' + version));
        const auto tag = "\"" + std::to_string(version) + "\"";
        p.etag = *rc::gen::elementOf(std::vector<std::string>{tag, tag, "W/" + tag, ""});
    };
    publish();
    const int steps = 5 + any(35);
    for (int step = 0; step < steps; ++step) {
        const int what = any(8);
        if (what == 0 && version < 25) {
            ++version;
            publish();
            if (*rc::gen::arbitrary<bool>()) p.house.get("POST /a"), known = version;
        } else if (what == 1) {
            p.house.clock.advance(*rc::gen::element<Duration>(1s, 61s));
            p.house.settle();
        } else {
            const int quarter = any(4);  // parts that touch are to be likely
            const std::size_t first = static_cast<std::size_t>(quarter) * size / 4;
            const std::size_t last = static_cast<std::size_t>(quarter + 1 + any(4 - quarter)) * size / 4 - 1;
            const bool whole = what == 2;
            const Reply reply =
                whole ? p.house.get("GET /a") : p.part(std::to_string(first) + "-" + std::to_string(last));
            const std::size_t expected = whole ? size : last - first + 1;
            RC_ASSERT(reply.status == (whole ? 200 : 206));
            RC_ASSERT(reply.body.size() == expected);
            RC_ASSERT(std::ranges::count(reply.body, reply.body.front()) == static_cast<std::ptrdiff_t>(expected));
            const int served = reply.body.front() - 'a';
            RC_ASSERT(known <= served && served <= version);
            if (!whole)
                RC_ASSERT(reply["content-range"] ==
                          "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(size));
        }
    }
}

TEST(PartsProperty, AnswersAreOfOneRepresentationAndNoneIsOlderThanItsInvalidation) {
    EXPECT_TRUE(rc::check([] {
        struct Once : Parts {
            void TestBody() override {}
        } parts;
        live_with_parts(parts);
    }));
}

}  // namespace
}  // namespace etage::flow::testing
