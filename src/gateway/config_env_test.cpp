#include "gateway/config_env.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etage::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::pair<std::string, std::string>> pairs(const Variables& variables) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const Node& v : variables) out.emplace_back(v.name, std::get<std::string>(v.value));
    return out;
}

auto dotenv(std::string_view text) {
    Problems problems;
    auto out = pairs(read_dotenv(text, ".env", problems));
    EXPECT_TRUE(problems.empty()) << problems.text();
    return out;
}

std::vector<std::string> complaints(std::string_view text) {
    Problems problems;
    read_dotenv(text, ".env", problems);
    return problems.lines();
}

TEST(ConfigEnv, OnlyOursAndOnlyWhenSet) {
    EXPECT_THAT(
        pairs(read_environment({"PATH=/bin", "ETAGE_B=2=3", "ETAGE_A=1", "ETAGE_C=", "etage_d=4", "XETAGE_E=5"})),
        ElementsAre(Pair("ETAGE_A", "1"), Pair("ETAGE_B", "2=3")));
}

TEST(ConfigEnv, KubernetesServiceVariablesAreNotOurs) {
    EXPECT_THAT(
        read_environment({"ETAGE_SERVICE_HOST=10.0.0.1", "ETAGE_SERVICE_PORT=80", "ETAGE_PORT=tcp://10.0.0.1:80",
                          "ETAGE_PORT_80_TCP_ADDR=10.0.0.1", "ETAGE_SERVICE_PORT_HTTP=80"}),
        IsEmpty());
}

TEST(ConfigEnv, DotenvLines) {
    EXPECT_THAT(
        dotenv("ETAGE_A=1\n# comment\n\n  export ETAGE_B = two words  \r\nETAGE_C=a#b # comment\nOTHER=x\nETAGE_D="),
        ElementsAre(Pair("ETAGE_A", "1"), Pair("ETAGE_B", "two words"), Pair("ETAGE_C", "a#b")));
    EXPECT_THAT(dotenv("ETAGE_A='x # $y \\n' # comment\nETAGE_B=\"say \\\"hi\\\"\\n\""),
                ElementsAre(Pair("ETAGE_A", "x # $y \\n"), Pair("ETAGE_B", "say \"hi\"\n")));
    EXPECT_THAT(dotenv(""), IsEmpty());
}

TEST(ConfigEnv, LinesOfOthersMayLookAsTheyLike) {
    EXPECT_THAT(dotenv("what is this\nKEY=\"open\nETAGE_A=1\n'\n"), ElementsAre(Pair("ETAGE_A", "1")));
}

TEST(ConfigEnv, LinesOfOursMayNot) {
    EXPECT_THAT(complaints("\nETAGE_A\n"), ElementsAre(".env:2: expected NAME=VALUE"));
    EXPECT_THAT(complaints("ETAGE_A='x"), ElementsAre(HasSubstr(".env:1: ETAGE_A: the quotes")));
    EXPECT_THAT(complaints("ETAGE_A=\"x\" y"), ElementsAre(HasSubstr("the quotes")));
}

}  // namespace
}  // namespace etage::gateway
