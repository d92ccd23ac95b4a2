#include "origin/handler.hpp"

#include "http/h1_writer.hpp"
#include "http/structured.hpp"
#include "policy/key.hpp"

#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>

#include <optional>
#include <utility>

namespace etage::origin {

namespace {

/// All of the content, or nothing when there is more of it than `bytes_max`.
asio::awaitable<Result<std::optional<std::string>>> read_content(flow::OriginRequest& request, std::size_t bytes_max) {
    std::string content;
    if (!request.body) co_return content;
    if (request.content_length.value_or(0) > bytes_max) co_return std::nullopt;
    for (;;) {
        const auto piece = co_await request.body->read();
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) co_return content;
        if (content.size() + piece->size() > bytes_max) co_return std::nullopt;
        content += *piece;
    }
}

std::optional<std::string> identity_of(const flow::OriginRequest& request) {
    http::RequestHead head;
    head.fields = request.fields.span();
    const policy::Identity identity = policy::identity_of(request.route, head);
    if (!identity.present) return std::nullopt;
    return std::string(identity.text);
}

std::shared_ptr<Request> request_of(const flow::OriginRequest& from, std::string content) {
    Request::Parts parts;
    const std::string_view target = from.target;
    const auto mark = target.find('?');
    parts.method = from.method_text;
    parts.path = target.substr(0, mark);
    if (mark != std::string_view::npos) parts.query = target.substr(mark + 1);
    for (const http::Field& field : from.fields.span())
        parts.headers.push_back({std::string(field.name), std::string(field.value)});
    if (!from.authority.empty()) parts.headers.push_back({"Host", from.authority});
    for (std::size_t i = 0; i < from.captures.size(); ++i)
        parts.path_parameters.push_back({from.route->capture_names[i], from.captures[i]});
    parts.body = std::move(content);
    parts.client_address = from.client_address;
    parts.identity = identity_of(from);
    return std::make_shared<Request>(std::move(parts));
}

/// An sf-list of strings (RFC 9875 §2).
std::string group_list(const std::vector<std::string>& groups) {
    std::string list;
    for (const std::string& group : groups) {
        if (!list.empty()) list += ", ";
        http::append_sf_string(list, group);
    }
    return list;
}

/// A cache in front of this process learns the tags where the route lets them out.
void expose_tags(flow::OriginResponse& response) {
    if (!response.tags.empty()) response.fields.add(http::FieldId::cache_groups, group_list(response.tags));
    if (!response.invalidates.empty())
        response.fields.add(http::FieldId::cache_group_invalidation, group_list(response.invalidates));
}

flow::OriginResponse origin_response(const Response& from, const flow::OriginRequest& request) {
    flow::OriginResponse out;
    out.status = from.status();
    for (const NameValue& header : from.headers()) out.fields.add(header.name, header.value);
    http::remove_hop_by_hop(out.fields);
    out.content = from.body();
    out.content_length = out.content.size();
    out.tags = from.tags();
    out.invalidates = from.invalidates();
    if (request.route != nullptr && request.route->policy.client.expose_tags) expose_tags(out);
    return out;
}

}  // namespace

/// Counts a plain handler from its admission to its end, also when the one who asked is gone by then.
class HandlerOrigin::Turn {
public:
    explicit Turn(std::atomic<std::size_t>& running) : running_(running), before_(running.fetch_add(1)) {}
    ~Turn() { running_.fetch_sub(1); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    std::size_t before() const noexcept { return before_; }

private:
    std::atomic<std::size_t>& running_;
    std::size_t before_;
};

HandlerOrigin::HandlerOrigin(std::shared_ptr<const Handlers> handlers, asio::thread_pool& pool, base::Log& log,
                             const HandlerLimits& limits)
    : handlers_(std::move(handlers)), pool_(pool), log_(log), limits_(limits) {}

asio::awaitable<Result<flow::OriginResponse>> HandlerOrigin::fetch(flow::OriginRequest request) {
    if (request.route == nullptr || request.route->index >= handlers_->size())
        co_return origin_response(Response::problem(404, "", "no handler for this path"), request);

    auto content = co_await read_content(request, limits_.body_bytes_max);
    if (!content) co_return std::unexpected(content.error());
    if (!*content)
        co_return origin_response(
            Response::problem(
                413, "", "the request's content is larger than " + std::to_string(limits_.body_bytes_max) + " bytes"),
            request);

    const Handler& handler = (*handlers_)[request.route->index];
    std::unique_ptr<Turn> turn;
    if (std::holds_alternative<BlockingHandler>(handler)) {
        turn = std::make_unique<Turn>(blocking_);
        if (turn->before() >= limits_.blocking_max)
            co_return failure(Blame::us, Fault::overloaded, "too many handlers are waiting for a thread", true);
    }
    co_return co_await answer(handler, request, *std::move(*content), std::move(turn));
}

asio::awaitable<flow::OriginResponse> HandlerOrigin::answer(const Handler& handler, const flow::OriginRequest& request,
                                                            std::string content, std::unique_ptr<Turn> turn) {
    std::optional<Response> response;
    std::string failure_text;
    try {
        response = co_await call(handler, request_of(request, std::move(content)), std::move(turn));
    } catch (const Problem& problem) {
        response = Response::problem(problem);
    } catch (const std::exception& e) {
        failure_text = e.what();
    } catch (...) {
        failure_text = "it threw something that is no std::exception";
    }
    if (response && (response->status() < 200 || response->status() > 599)) {
        failure_text = "it answered with the status " + std::to_string(response->status());
        response.reset();
    }
    if (!response) {  // what went wrong is for the log; the client learns only that it was not its fault
        log_.error("handler failed",
                   {{"route", request.route->policy.match}, {"target", request.target}, {"what", failure_text}});
        response = Response::problem(500, "", "the handler failed; the log says why");
    }
    co_return origin_response(*response, request);
}

asio::awaitable<Response> HandlerOrigin::call(const Handler& handler, std::shared_ptr<Request> request,
                                              std::unique_ptr<Turn> turn) {
    if (const auto* coroutine = std::get_if<CoroutineHandler>(&handler)) co_return co_await (*coroutine)(*request);
    co_return co_await asio::co_spawn(
        pool_.get_executor(), run_blocking(std::get<BlockingHandler>(handler), std::move(request), std::move(turn)),
        asio::use_awaitable);
}

/// On the pool. Owns the request: the one who asked may be gone before the handler returns.
asio::awaitable<Response> HandlerOrigin::run_blocking(const BlockingHandler& handler, std::shared_ptr<Request> request,
                                                      std::unique_ptr<Turn>) {
    co_return handler(*request);
}

}  // namespace etage::origin
