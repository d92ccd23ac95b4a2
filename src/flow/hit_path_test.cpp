// A hit takes nothing from the heap: this test counts what the whole program takes while one is answered.

#include "base/allocation_count_fixture.hpp"
#include "coherence/tag.hpp"
#include "flow/walk_fixture.hpp"

namespace etage::flow::testing {
namespace {

using base::testing::allocations;

struct Counted {
    bool answered = false;
    int status = 0;
    std::size_t allocated = 0;
};

/// Parses and answers one request as a connection does, and counts.
Counted answer_and_count(TestHouse& house, std::string_view text) {
    static http::FieldSlots slots;
    std::string key;
    key.reserve(1024);  // a worker's buffer has grown to what its requests need
    Counted counted;
    const std::size_t before = allocations;
    {
        http::HeadParser parser;
        http::RequestHead request;
        parser.parse_request(text, slots, request);
        Visit visit{request, "192.0.2.1", "http", house.clock.now(), key};
        Answer answer;
        counted.answered = house.walk->answer_now(visit, answer);
        counted.status = answer.status;
    }
    counted.allocated = allocations - before;
    return counted;
}

constexpr std::string_view browser =
    "Host: api.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: application/json\r\nAccept-Language: de,en-US;q=0.7,en;q=0.3\r\nAccept-Encoding: gzip, deflate, br\r\n";

std::string request(std::string_view line, std::string_view more = {}) {
    return std::string(line) + " HTTP/1.1\r\n" + std::string(browser) + std::string(more) + "\r\n";
}

void expect_no_allocation(TestHouse& house, const std::string& text, int status) {
    answer_and_count(house, text);  // this thread's counters and buckets exist from now on
    const Counted counted = answer_and_count(house, text);
    EXPECT_TRUE(counted.answered);
    EXPECT_EQ(counted.status, status);
    EXPECT_EQ(counted.allocated, 0U);
}

Say page(std::string cache_control) {
    Say say;
    say.fields = {{"Cache-Control", std::move(cache_control)}, {"Content-Type", "application/json"}};
    say.body = std::string(1300, 'x');
    say.tags = {"posts", "post:1", "post:2"};
    return say;
}

TEST(HitPath, AStandardsCacheAllocatesNothing) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return page("max-age=60"); };
    const std::string etag = house.get("GET /posts?limit=20&offset=40")["etag"];
    expect_no_allocation(house, request("GET /posts?limit=20&offset=40"), 200);
    expect_no_allocation(house, request("HEAD /posts?limit=20&offset=40"), 200);
    expect_no_allocation(house, request("GET /posts?limit=20&offset=40", "If-None-Match: " + etag + "\r\n"), 304);
}

TEST(HitPath, NoVarySearchCostsAHitOfItsOwnNothing) {
    TestHouse house;
    house.origin.script = [](const Seen&) {
        Say say = page("max-age=60");
        say.fields.emplace_back("No-Vary-Search", "params=(\"utm\"), key-order");
        return say;
    };
    house.get("GET /posts?utm=1");
    expect_no_allocation(house, request("GET /posts?utm=1"), 200);
}

TEST(HitPath, VariantsLimitsAndKeysAllocateNothing) {
    RoutePolicy policy;
    policy.match = "GET /posts";
    policy.cache.ttl = 60s;
    policy.key.query_mode = KeyPolicy::Query::allow;
    policy.key.query = {"limit", "offset"};
    policy.key.headers = {"X-Tenant"};
    policy.limits = {{.name = "burst", .quota = 1000, .window = 60s}};
    TestHouse house({policy});
    house.origin.script = [](const Seen&) {
        Say say = page("max-age=60");
        say.fields.emplace_back("Vary", "Accept-Language");
        return say;
    };
    const std::vector<std::string> language = {"Accept-Language: de,en-US;q=0.7,en;q=0.3", "X-Tenant: a"};
    house.get("GET /posts?offset=40&limit=20", language);
    expect_no_allocation(house, request("GET /posts?limit=20&utm_source=x&offset=40", "X-Tenant: a\r\n"), 200);
}

TEST(HitPath, AnInvalidationElsewhereCostsNoAllocation) {
    TestHouse house;
    house.origin.script = [](const Seen&) { return page("max-age=60"); };
    house.get("GET /posts");
    answer_and_count(house, request("GET /posts"));
    const TagHash other = coherence::tag_hash(coherence::TagKind::surrogate, "post:99");
    house.engine.invalidate({std::span(&other, 1), coherence::Softness::hard});
    const Counted counted = answer_and_count(house, request("GET /posts"));
    EXPECT_TRUE(counted.answered);
    EXPECT_EQ(counted.allocated, 0U);
}

}  // namespace
}  // namespace etage::flow::testing
