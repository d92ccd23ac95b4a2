// Settings of who is believed, and how much one client may have.

#include "gateway/config_load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etage::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::expected<Config, Problems> load(std::string text) {
    return load_config({SourceText{"etage.toml", std::move(text)}, {}, {}, {}});
}

Config good(std::string text) {
    auto config = load(std::move(text));
    EXPECT_TRUE(config) << config.error().text();
    return config ? *config : Config{};
}

std::vector<std::string> bad(std::string text) {
    const auto config = load(std::move(text));
    return config ? std::vector<std::string>{"(accepted)"} : config.error().lines();
}

TEST(ConfigTrust, TheProxyProtocolIsOffAcceptedOrRequired) {
    const std::string trusted = "[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n";
    EXPECT_EQ(good(trusted).server.proxy_protocol, serve::ProxyProtocol::off);
    EXPECT_EQ(good(trusted + "proxy_protocol = \"accept\"\n").server.proxy_protocol, serve::ProxyProtocol::accept);
    EXPECT_EQ(good(trusted + "proxy_protocol = \"require\"\n").server.proxy_protocol, serve::ProxyProtocol::require);
    EXPECT_THAT(bad(trusted + "proxy_protocol = \"yes\"\n"), ElementsAre(HasSubstr("etage.toml:3:18: ")));
}

TEST(ConfigTrust, TheProxyProtocolNeedsSomebodyToTrust) {
    EXPECT_THAT(bad("[server]\nproxy_protocol = \"require\"\n"),
                ElementsAre(HasSubstr("etage.toml:2:18: [server].proxy_protocol: nobody is trusted to say who their")));
    good("[server]\nproxy_protocol = \"off\"\n");
}

TEST(ConfigTrust, OfOneClient) {
    const Config usual = good("");
    EXPECT_EQ(usual.server.connections_per_client_max, 1000U);
    EXPECT_EQ(usual.server.body_rate_min, 240U);
    EXPECT_EQ(usual.server.write_rate_min, 240U);
    const Config config =
        good("[server]\nconnections_per_client_max = 0\nbody_rate_min = \"1KiB\"\nwrite_rate_min = 0\n");
    EXPECT_EQ(config.server.connections_per_client_max, 0U);
    EXPECT_EQ(config.server.body_rate_min, 1024U);
    EXPECT_EQ(config.server.write_rate_min, 0U);
    EXPECT_THAT(bad("[server]\nconnections_per_client_max = -1\n"), ElementsAre(HasSubstr("etage.toml:2:")));
}

}  // namespace
}  // namespace etage::gateway
