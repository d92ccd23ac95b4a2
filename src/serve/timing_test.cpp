#include "serve/timing.hpp"

#include <gtest/gtest.h>

namespace etage::serve {
namespace {

using namespace std::chrono_literals;

std::string timing(const Verdict& verdict, Duration took) {
    http::FieldTail tail;
    append_server_timing(tail, verdict, took);
    return std::string(tail.view());
}

TEST(ServerTiming, SaysWhatTheCacheDidAndHowLongItTook) {
    Verdict verdict;
    verdict.hit = true;
    EXPECT_EQ(timing(verdict, 41us), "Server-Timing: etage;desc=hit;dur=0.041\r\n");
    verdict.hit = false;
    verdict.forward = Forward::uri_miss;
    EXPECT_EQ(timing(verdict, 1500ms), "Server-Timing: etage;desc=uri-miss;dur=1500.000\r\n");
    EXPECT_EQ(timing({}, -1s), "Server-Timing: etage;desc=none;dur=0.000\r\n");
}

TEST(ServerTiming, TheLongestFits) { EXPECT_EQ(timing({}, Duration::max()).size(), 54U); }

}  // namespace
}  // namespace etage::serve
