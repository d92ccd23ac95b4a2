#include "flow/shared_body.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <gtest/gtest.h>

namespace etage::flow {
namespace {

TEST(SharedBody, WhatIsWholeStaysWholeForWhoReadsLater) {
    asio::io_context io;
    const auto body = std::make_shared<SharedBody>();
    const auto reader = body->reader();
    bool ended = false;
    const auto play = [&]() -> asio::awaitable<void> {
        co_await body->append("all of it");
        body->finish();
        body->fail(Error{Blame::origin, Fault::origin_incomplete, false, "the producer goes"});
        const auto piece = co_await reader->read();
        EXPECT_EQ(piece.value_or(""), "all of it");
        const auto end = co_await reader->read();
        ended = end.has_value() && end->empty();
    };
    asio::co_spawn(io, play, asio::detached);
    io.run();
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace etage::flow
