#pragma once
// What answers a route: a function of the request and of the route's parameters.
//
//     Response get_post(std::int64_t id);                                      // plain: runs on the handler threads,
//     may block Response list(const Request&, int limit);                                // with the request
//     asio::awaitable<Response> quote(std::string symbol);                     // coroutine: runs on the event loop,
//     must not block
//
// Lifetime · A handler lives as long as the server. A Request& is valid until the handler has returned or its coroutine
// has finished. Thread-safety · A handler is called from several threads at once. Errors · A thrown Problem is the
// answer; any other exception is logged and answered 500.

#include <etage/message.hpp>
#include <etage/params.hpp>

#include <asio/awaitable.hpp>

#include <concepts>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace etage {

using BlockingHandler = std::function<Response(Request&)>;
using CoroutineHandler = std::function<asio::awaitable<Response>(Request&)>;
/// A handler with its parameters bound to it.
using Handler = std::variant<BlockingHandler, CoroutineHandler>;

namespace detail {

/// Calls `function(request, values…)` or `function(values…)`, whichever it takes.
template <class F, class... Values>
decltype(auto) call_handler(const F& function, Request& request, Values&&... values) {
    if constexpr (std::invocable<const F&, Request&, Values...>) {
        return std::invoke(function, request, std::forward<Values>(values)...);
    } else {
        static_assert(std::invocable<const F&, Values...>,
                      "a handler takes (Request&, values of the route's parameters in order), or the values alone, and "
                      "can be called as const: several threads do");
        return std::invoke(function, std::forward<Values>(values)...);
    }
}

template <class F, class... Ps>
using HandlerResult = decltype(call_handler(std::declval<const F&>(), std::declval<Request&>(),
                                            std::declval<typename Ps::value_type>()...));

/// In order; the first that does not fit throws.
template <class... Ps>
std::tuple<typename Ps::value_type...> read_parameters(const std::tuple<Ps...>& parameters, const Request& request) {
    return std::apply([&](const Ps&... each) { return std::tuple<typename Ps::value_type...>{each.read(request)...}; },
                      parameters);
}

/// Keeps the values until the handler has finished, so that it may take them by reference.
template <class F, class Values>
asio::awaitable<Response> run_coroutine(const F& function, Request& request, Values values) {
    co_return co_await std::apply([&](auto&... each) { return call_handler(function, request, std::move(each)...); },
                                  values);
}

}  // namespace detail

/// Binds the parameters to the function.
template <class F, class... Ps>
Handler make_handler(F function, std::tuple<Ps...> parameters) {
    using Result = detail::HandlerResult<F, Ps...>;
    if constexpr (std::same_as<Result, Response>) {
        return BlockingHandler([function = std::move(function), parameters = std::move(parameters)](Request& request) {
            auto values = detail::read_parameters(parameters, request);
            return std::apply(
                [&](auto&... each) { return detail::call_handler(function, request, std::move(each)...); }, values);
        });
    } else {
        static_assert(std::same_as<Result, asio::awaitable<Response>>,
                      "a handler returns etage::Response or asio::awaitable<etage::Response>");
        return CoroutineHandler([function = std::move(function), parameters = std::move(parameters)](Request& request) {
            return detail::run_coroutine(function, request, detail::read_parameters(parameters, request));
        });
    }
}

}  // namespace etage
