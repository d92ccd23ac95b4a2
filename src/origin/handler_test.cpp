#include "origin/handler.hpp"

#include "http/structured.hpp"

#include <etage/params.hpp>

#include <gtest/gtest.h>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

namespace etage::origin {
namespace {

/// Content that comes in the given pieces, then ends or breaks off.
class Pieces : public net::BodySource {
public:
    explicit Pieces(std::deque<std::string> pieces, bool breaks = false)
        : pieces_(std::move(pieces)), breaks_(breaks) {}
    asio::awaitable<Result<std::string_view>> read() override {
        if (pieces_.empty()) {
            if (breaks_) co_return failure(Blame::client, Fault::bad_request, "gone");
            co_return std::string_view{};
        }
        current_ = std::move(pieces_.front());
        pieces_.pop_front();
        co_return std::string_view(current_);
    }

private:
    std::deque<std::string> pieces_;
    std::string current_;
    bool breaks_;
};

template <class F, class... Ps>
Handler handler(F function, Ps... parameters) {
    return make_handler(std::move(function), std::make_tuple(std::move(parameters)...));
}

class HandlerOriginTest : public testing::Test {
protected:
    HandlerOriginTest() : log_file_(temporary_file()), log_({base::LogLevel::debug, base::LogFormat::text, log_file_}) {
        route_.capture_names = {"id"};
        route_.policy.match = "GET /posts/{id}";
        route_.methods.add(http::Method::get);
    }
    ~HandlerOriginTest() override {
        pool_.join();
        std::filesystem::remove(log_file_);
    }

    flow::OriginRequest asking(std::string target = "/posts/7?limit=5", std::string id = "7") const {
        flow::OriginRequest request;
        request.method_text = "GET";
        request.target = std::move(target);
        request.authority = "example.org";
        request.client_address = "192.0.2.1";
        request.route = &route_;
        request.captures = {std::move(id)};
        return request;
    }

    Result<flow::OriginResponse> fetch(HandlerOrigin& origin, flow::OriginRequest request) {
        asio::io_context loop;
        std::optional<Result<flow::OriginResponse>> result;
        asio::co_spawn(
            loop, [&]() -> asio::awaitable<void> { result = co_await origin.fetch(std::move(request)); },
            [](std::exception_ptr e) {
                if (e) std::rethrow_exception(e);
            });
        loop.run();
        return std::move(*result);
    }

    Result<flow::OriginResponse> fetch(Handler h, flow::OriginRequest request, const HandlerLimits& limits = {}) {
        HandlerOrigin origin(std::make_shared<Handlers>(Handlers{std::move(h)}), pool_, log_, limits);
        return fetch(origin, std::move(request));
    }

    std::string logged() {
        log_.flush();
        std::ifstream file(log_file_);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }

    static std::string temporary_file() {
        static int count = 0;
        return (std::filesystem::temp_directory_path() /
                ("etage-handler-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++)))
            .string();
    }

    std::string log_file_;
    base::Log log_;
    asio::thread_pool pool_{2};
    policy::Route route_;
};

TEST_F(HandlerOriginTest, APlainHandlerSeesTheWholeRequest) {
    auto request = asking("/posts/7?limit=5&category=tech");
    request.fields.add("X-Depth", "3");
    request.body = std::make_shared<Pieces>(std::deque<std::string>{"he", "llo"});
    const auto response =
        fetch(handler(
                  [](const Request& r, std::int64_t id, int limit, std::optional<std::string> category) {
                      std::ostringstream out;
                      out << r.method() << ' ' << r.path() << ' ' << r.query_text() << ' ' << id << ' ' << limit << ' '
                          << *category << ' ' << *r.header("x-depth") << ' ' << *r.header("host") << ' '
                          << r.client_address() << ' ' << r.body();
                      return Response::text(out.str());
                  },
                  path<std::int64_t>("id"), query<int>("limit"), query<std::optional<std::string>>("category")),
              std::move(request));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->content, "GET /posts/7 limit=5&category=tech 7 5 tech 3 example.org 192.0.2.1 hello");
    EXPECT_EQ(response->content_length, response->content.size());
    EXPECT_EQ(http::find(response->fields, http::FieldId::content_type), "text/plain; charset=utf-8");
}

TEST_F(HandlerOriginTest, APlainHandlerRunsOffTheLoopAndItsResultComesBackToIt) {
    const auto loop_thread = std::this_thread::get_id();
    std::thread::id ran_on;
    Handlers handlers{handler([&] {
        ran_on = std::this_thread::get_id();
        return Response();
    })};
    HandlerOrigin origin(std::make_shared<Handlers>(std::move(handlers)), pool_, log_);
    asio::io_context loop;
    std::thread::id came_back_on;
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
            (void)co_await origin.fetch(asking());
            came_back_on = std::this_thread::get_id();
        },
        [](std::exception_ptr e) { EXPECT_FALSE(e); });
    loop.run();
    EXPECT_NE(ran_on, loop_thread);
    EXPECT_EQ(came_back_on, loop_thread);
}

TEST_F(HandlerOriginTest, APlainHandlerThatBlocksDoesNotBlockTheLoop) {
    std::promise<void> release;
    auto released = release.get_future().share();
    HandlerOrigin origin(std::make_shared<Handlers>(Handlers{handler([released] {
                             released.wait();
                             return Response::text("late");
                         })}),
                         pool_, log_);
    asio::io_context loop;
    std::string content;
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
            auto response = co_await origin.fetch(asking());
            content = response->content;
        },
        [](std::exception_ptr e) { EXPECT_FALSE(e); });
    asio::post(loop, [&] { release.set_value(); });  // only a free loop comes here
    loop.run();
    EXPECT_EQ(content, "late");
}

asio::awaitable<Response> on_the_loop(const Request& request, const std::string& id) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return Response::text(id + " " + request.path());
}

TEST_F(HandlerOriginTest, ACoroutineMayTakeItsParametersByReference) {
    const std::string long_id(100, 'x');
    const auto response = fetch(handler(on_the_loop, path<std::string>("id")), asking("/posts/x", long_id));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->content, long_id + " /posts/x");
}

TEST_F(HandlerOriginTest, ACoroutineRunsOnTheLoop) {
    std::thread::id ran_on;
    const auto response = fetch(handler([&ran_on]() -> asio::awaitable<Response> {
                                    ran_on = std::this_thread::get_id();
                                    co_return Response::no_content();
                                }),
                                asking());
    EXPECT_EQ(response->status, 204);
    EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST_F(HandlerOriginTest, AParameterThatDoesNotFitIs422InBothKinds) {
    const auto limit = query<int>("limit").range(1, 4);
    const auto plain = fetch(handler([](int) { return Response(); }, limit), asking());
    const auto coroutine =
        fetch(handler([](int) -> asio::awaitable<Response> { co_return Response(); }, limit), asking());
    for (const auto* response : {&plain, &coroutine}) {
        ASSERT_TRUE(*response);
        EXPECT_EQ((*response)->status, 422);
        EXPECT_EQ(http::find((*response)->fields, http::FieldId::content_type), "application/problem+json");
        EXPECT_NE((*response)->content.find("\"parameter\":\"limit\",\"value\":\"5\",\"bound\":\"1..4\""),
                  std::string::npos);
    }
    EXPECT_EQ(logged(), "");
}

TEST_F(HandlerOriginTest, AThrowingHandlerIs500AndLoggedAndTellsTheClientNothing) {
    const auto plain =
        fetch(handler([]() -> Response { throw std::runtime_error("secret of the database"); }), asking());
    const auto coroutine = fetch(handler([]() -> asio::awaitable<Response> {
                                     throw 7;
                                     co_return Response();
                                 }),
                                 asking());
    for (const auto* response : {&plain, &coroutine}) {
        ASSERT_TRUE(*response);
        EXPECT_EQ((*response)->status, 500);
        EXPECT_EQ(http::find((*response)->fields, http::FieldId::content_type), "application/problem+json");
        EXPECT_EQ((*response)->content.find("secret"), std::string::npos);
    }
    const std::string lines = logged();
    EXPECT_NE(lines.find("secret of the database"), std::string::npos);
    EXPECT_NE(lines.find("GET /posts/{id}"), std::string::npos);
    EXPECT_NE(lines.find("no std::exception"), std::string::npos);
}

TEST_F(HandlerOriginTest, AStatusThatIsNoAnswerIs500) {
    for (const int status : {0, 100, 199, 600})
        EXPECT_EQ(fetch(handler([status] { return Response(status); }), asking())->status, 500) << status;
    EXPECT_EQ(fetch(handler([]() -> Response { throw Problem(42, "", ""); }), asking())->status, 500);
}

TEST_F(HandlerOriginTest, ContentBeyondTheLimitIs413) {
    const auto echo = [](const Request& r) { return Response::text(r.body()); };
    auto exact = asking();
    exact.body = std::make_shared<Pieces>(std::deque<std::string>{"12", "34"});
    EXPECT_EQ(fetch(handler(echo), std::move(exact), {.body_bytes_max = 4})->content, "1234");

    auto more = asking();
    more.body = std::make_shared<Pieces>(std::deque<std::string>{"12", "345"});
    EXPECT_EQ(fetch(handler(echo), std::move(more), {.body_bytes_max = 4})->status, 413);

    auto announced = asking();
    announced.body = std::make_shared<Pieces>(std::deque<std::string>{}, true);  // never read
    announced.content_length = 5;
    EXPECT_EQ(fetch(handler(echo), std::move(announced), {.body_bytes_max = 4})->status, 413);
}

TEST_F(HandlerOriginTest, ContentThatBreaksOffReachesNoHandler) {
    auto request = asking();
    request.body = std::make_shared<Pieces>(std::deque<std::string>{"12"}, true);
    bool called = false;
    const auto response = fetch(handler([&called] {
                                    called = true;
                                    return Response();
                                }),
                                std::move(request));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().blame, Blame::client);
    EXPECT_FALSE(called);
}

TEST_F(HandlerOriginTest, MoreBlockingHandlersThanTheLimitIsOverload) {
    std::promise<void> release;
    auto released = release.get_future().share();
    HandlerOrigin origin(std::make_shared<Handlers>(Handlers{handler([released] {
                             released.wait();
                             return Response();
                         })}),
                         pool_, log_, {.blocking_max = 2});
    asio::io_context loop;
    int answered = 0;
    int overloaded = 0;
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(
            loop,
            [&]() -> asio::awaitable<void> {
                const auto response = co_await origin.fetch(asking());
                ++answered;
                if (!response && response.error().fault == Fault::overloaded) ++overloaded;
            },
            [](std::exception_ptr e) { EXPECT_FALSE(e); });
    asio::post(loop, [&] { release.set_value(); });
    loop.run();
    EXPECT_EQ(answered, 3);
    EXPECT_EQ(overloaded, 1);
    EXPECT_TRUE(fetch(origin, asking())) << "the turns were given back";
}

TEST_F(HandlerOriginTest, TagsAndInvalidationsTravelBesideTheFields) {
    const auto tagged = handler([] { return Response().tag("post:7").tag("a \"b\"").invalidate("posts:all"); });
    const auto response = fetch(tagged, asking());
    EXPECT_EQ(response->tags, (std::vector<std::string>{"post:7", "a \"b\""}));
    EXPECT_EQ(response->invalidates, (std::vector<std::string>{"posts:all"}));
    EXPECT_FALSE(http::contains(response->fields, http::FieldId::cache_groups));
    EXPECT_FALSE(http::contains(response->fields, http::FieldId::cache_group_invalidation));
}

TEST_F(HandlerOriginTest, Rfc9875Section2_ExposedTagsAreAStructuredList) {
    route_.policy.client.expose_tags = true;
    const auto tagged = handler([] { return Response().tag("post:7").tag("a \"b\"").invalidate("posts:all"); });
    const auto response = fetch(tagged, asking());
    const auto groups = http::find(response->fields, http::FieldId::cache_groups);
    const auto gone = http::find(response->fields, http::FieldId::cache_group_invalidation);
    ASSERT_TRUE(groups);
    ASSERT_TRUE(gone);
    EXPECT_EQ(http::parse_sf_string_list(*groups), response->tags);
    EXPECT_EQ(http::parse_sf_string_list(*gone), response->invalidates);
}

TEST_F(HandlerOriginTest, FramingIsNotTheHandlersToDecide) {
    const auto response = fetch(handler([] {
                                    return Response::text("hello")
                                        .header("Content-Length", "3")
                                        .header("Transfer-Encoding", "chunked")
                                        .header("Connection", "close, X-Private")
                                        .header("X-Private", "1");
                                }),
                                asking());
    EXPECT_EQ(response->fields.size(), 1U);
    EXPECT_EQ(response->content_length, 5U);
}

TEST_F(HandlerOriginTest, TheIdentityIsReadAsTheRouteSays) {
    const auto who =
        handler([](const Request& r) { return Response::text(std::string(r.identity().value_or("nobody"))); });
    EXPECT_EQ(fetch(who, asking())->content, "nobody");
    auto request = asking();
    request.fields.add("Authorization", "Bearer me");
    request.fields.add("X-User", "you");
    EXPECT_EQ(fetch(who, request)->content, "Bearer me");
    route_.policy.identity.header = "X-User";
    EXPECT_EQ(fetch(who, request)->content, "you");
}

TEST_F(HandlerOriginTest, ARouteWithoutAHandlerIs404) {
    route_.index = 3;
    EXPECT_EQ(fetch(handler([] { return Response(); }), asking())->status, 404);
}

}  // namespace
}  // namespace etage::origin
