#include "flow/walk_fixture.hpp"

#include "net/virtual_time.hpp"

#include <asio/post.hpp>

#include <future>

namespace etage::flow::testing {

// ---- the origin

class ScriptedOrigin::Pieces : public net::BodySource {
public:
    explicit Pieces(const Say& say) : content_(say.body), piece_bytes_(say.piece_bytes), cut_(say.cut) {}

    asio::awaitable<Result<std::string_view>> read() override {
        net::Timer timer(co_await asio::this_coro::executor);
        timer.expires_after(1ms);
        co_await timer.async_wait(net::quietly);
        if (at_ >= content_.size() && cut_) co_return failure(Blame::origin, Fault::origin_incomplete, "cut");
        const auto piece = std::string_view(content_).substr(at_, piece_bytes_);
        at_ += piece.size();
        co_return piece;
    }

private:
    std::string content_;
    std::size_t piece_bytes_;
    bool cut_;
    std::size_t at_ = 0;
};

asio::awaitable<Result<OriginResponse>> ScriptedOrigin::fetch(OriginRequest request) {
    Seen now{request.method_text, request.target, request.fields, {}};
    while (request.body) {
        const auto piece = co_await request.body->read();
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) break;
        now.body += *piece;
    }
    seen.push_back(now);
    Say say = script(now);
    most_under_way = std::max(most_under_way, ++under_way);
    net::Timer timer(co_await asio::this_coro::executor);
    timer.expires_after(say.after);
    co_await timer.async_wait(net::quietly);
    --under_way;
    if (say.fault != Fault::internal) {
        Error error{Blame::origin, say.fault, false, "scripted", say.retry_after};
        co_return std::unexpected(std::move(error));
    }
    OriginResponse response;
    response.status = say.status;
    for (const auto& [name, value] : say.fields) response.fields.add(name, value);
    response.tags = say.tags;
    response.invalidates = say.invalidates;
    if (say.sized) response.content_length = say.body.size() + (say.cut ? 1 : 0);
    if (say.stream)
        response.body = std::make_shared<Pieces>(say);
    else
        response.content = say.body;
    co_return response;
}

// ---- the house

namespace {

void take_apart(const Answer& answer, Reply& reply) {
    reply.status = answer.status;
    reply.verdict = answer.verdict;
    std::string head = std::string(answer.status_line) + std::string(answer.head) + std::string(answer.tail.view());
    std::size_t at = head.find("\r\n") + 2;
    while (at < head.size()) {
        const auto end = head.find("\r\n", at);
        const auto colon = head.find(": ", at);
        std::string name = head.substr(at, colon - at);
        for (char& c : name) c = static_cast<char>(std::tolower(c));
        auto& value = reply.fields[name];
        value += (value.empty() ? "" : ", ") + head.substr(colon + 2, end - colon - 2);
        at = end + 2;
    }
}

}  // namespace

class TestHouse::Content : public net::BodySource {
public:
    explicit Content(std::string content) : content_(std::move(content)) {}
    asio::awaitable<Result<std::string_view>> read() override {
        co_return std::exchange(given_, true) ? std::string_view{} : std::string_view(content_);
    }

private:
    std::string content_;
    bool given_ = false;
};

TestHouse::TestHouse(std::vector<RoutePolicy> routes, bool handlers_only, store::RemoteStore* remote,
                     InvalidationLog* log, limit::RemoteQuotas* quotas) {
    auto router = policy::Router::compile(std::move(routes), {"default"});
    if (!router) throw std::runtime_error(router.error().what);
    router_ = std::move(*router);
    auto gate = Gate::make(router_, {}, {quotas, nullptr, 42, 42, metrics});
    if (!gate) throw std::runtime_error(gate.error().what);
    gate_ = std::move(*gate);
    walk = std::make_unique<Walk>(Rooms{router_,
                                        engine,
                                        store,
                                        *gate_,
                                        flights,
                                        metrics,
                                        log_,
                                        compressors_,
                                        {&origin},
                                        42,
                                        handlers_only,
                                        handlers_only ? "" : "1.1 etage",
                                        {},
                                        fills,
                                        log != nullptr ? *log : invalidations,
                                        {42, 42},
                                        remote,
                                        {}});
}

asio::awaitable<void> TestHouse::walk_through(std::string text, std::string body, std::shared_ptr<Reply> reply) {
    const auto slots = std::make_unique<http::FieldSlots>();
    http::HeadParser parser;
    http::RequestHead request;
    const auto outcome = parser.parse_request(text, *slots, request);
    if (outcome.state != http::ParseState::complete) throw std::runtime_error(std::string(outcome.why));
    std::string key;
    Visit visit{request, "192.0.2.1", "http", clock.now(), key};
    visit.presence = &reply->client;
    Answer answer;
    std::shared_ptr<net::BodySource> content;
    if (!body.empty()) content = std::make_shared<Content>(body);
    if (!walk->answer_now(visit, answer)) co_await walk->answer(visit, content, answer);
    take_apart(answer, *reply);
    if (!answer.head_only) reply->body = answer.body;
    while (answer.stream && !answer.head_only) {
        const auto piece = co_await answer.stream->read();
        if (!piece) reply->body_failed = true;
        if (!piece || piece->empty()) break;
        reply->body += *piece;
    }
    reply->done = true;
}

void TestHouse::finish_compressing() {
    std::promise<void> done;  // one thread, first come, first served
    asio::post(compressors_, [&] { done.set_value(); });
    done.get_future().wait();
}

std::shared_ptr<Reply> TestHouse::ask(const std::string& line, std::vector<std::string> fields, std::string body) {
    std::string text = line + " HTTP/1.1\r\nHost: api.test\r\n";
    for (const auto& field : fields) text += field + "\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    auto reply = std::make_shared<Reply>();
    asio::co_spawn(io_, walk_through(text + "\r\n", std::move(body), reply), [](const std::exception_ptr& e) {
        if (e) std::rethrow_exception(e);
    });
    settle();
    return reply;
}

Reply TestHouse::get(const std::string& line, std::vector<std::string> fields, std::string body) {
    const auto reply = ask(line, std::move(fields), std::move(body));
    while (!reply->done) pass(1ms);
    return *reply;
}

void TestHouse::settle() {
    io_.restart();
    while (io_.poll() > 0) {
    }
}

void TestHouse::pass(Duration time) {
    for (Duration gone{}; gone < time; gone += 1ms) {
        net::advance(io_, clock, 1ms);
        settle();
    }
}

void TestHouse::skip(Duration time) {
    net::advance(io_, clock, time);
    settle();
}

}  // namespace etage::flow::testing
