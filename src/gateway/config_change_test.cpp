#include "gateway/config_change.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etage::gateway {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

TEST(ConfigChange, WhatServesCannotBeMadeAnew) {
    Config running;
    Config next;
    next.server.listen.push_back({"127.0.0.1", 9999});
    next.redis.url = *redis::parse_url("redis://127.0.0.1:6379");
    next.memory.limit /= 2;
    EXPECT_THAT(what_takes_a_restart(running, next).lines(),
                ElementsAre(StartsWith("server.listen: cannot change while serving"), StartsWith("memory.limit: "),
                            StartsWith("redis.url: ")));
    EXPECT_TRUE(what_takes_a_restart(next, next).empty());
}

TEST(ConfigChange, AllElseCan) {
    Config running;
    Config next;
    next.server.idle_timeout = std::chrono::seconds(1);
    next.server.trusted_proxies = {*net::parse_network("10.0.0.0/8")};
    next.admin.token = "another";
    next.origins.front().connect_timeout = std::chrono::seconds(7);
    next.origins.emplace_back().name = "second";
    next.log.level = base::LogLevel::debug;
    next.log.access = AccessLog::all;
    next.default_ttl = std::chrono::seconds(3);
    next.routes.push_back({.match = "GET /"});
    next.limits.push_back({.name = "burst", .quota = 1});
    EXPECT_TRUE(what_takes_a_restart(running, next).empty());
}

}  // namespace
}  // namespace etage::gateway
