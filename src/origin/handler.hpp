#pragma once
// Handlers of this process as an origin: the same to the walk as an upstream server (DESIGN §2).
//
// Concurrency · fetch() on any thread. Plain handlers run on the pool they are given and may block there; the result
// comes back to the caller's executor. Coroutine handlers run on the caller's executor. Lifetime · Origin, handlers and
// pool outlive every fetch. The pool is joined before any executor that has called is destroyed: a handler that is
// still running reports back to it. What this does not promise · To end a handler that has begun: it runs to its end,
// also when nobody waits any more.

#include "base/log.hpp"
#include "flow/origin.hpp"

#include <etage/handler.hpp>

#include <asio/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <vector>

namespace etage::origin {

/// Rows of docs/limits.md.
struct HandlerLimits {
    std::size_t body_bytes_max = std::size_t{1} << 20;  // of a request's content, held in memory; more is 413
    std::size_t blocking_max = 1024;                    // plain handlers running and waiting; more is 503
};

/// By policy::Route::index. Immutable; shared by the origins of a process.
using Handlers = std::vector<Handler>;

class HandlerOrigin : public flow::Origin {
public:
    /// A route without a handler (its index is beyond the list, or the request has no route) is answered 404.
    HandlerOrigin(std::shared_ptr<const Handlers> handlers, asio::thread_pool& pool, base::Log& log,
                  const HandlerLimits& limits = {});

    /// Answers what the handler answers: 413 when the content is too large, 422 when a parameter does not fit, 500 when
    /// the handler throws. Errors: `overloaded` (us), and the error of the request's content.
    asio::awaitable<Result<flow::OriginResponse>> fetch(flow::OriginRequest request) override;

private:
    class Turn;

    asio::awaitable<flow::OriginResponse> answer(const Handler& handler, const flow::OriginRequest& request,
                                                 std::string content, std::unique_ptr<Turn> turn);
    asio::awaitable<Response> call(const Handler& handler, std::shared_ptr<Request> request,
                                   std::unique_ptr<Turn> turn);
    static asio::awaitable<Response> run_blocking(const BlockingHandler& handler, std::shared_ptr<Request> request,
                                                  std::unique_ptr<Turn>);

    std::shared_ptr<const Handlers> handlers_;
    asio::thread_pool& pool_;
    base::Log& log_;
    HandlerLimits limits_;
    std::atomic<std::size_t> blocking_{0};
};

}  // namespace etage::origin
