#include "gateway/descriptors.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace etage::gateway {
namespace {

TEST(Descriptors, ClientsLeaveEnoughForTheOthers) {
    EXPECT_EQ(clients_within(20'000, 1'048'576, 256), 20'000U) << "there are plenty";
    EXPECT_EQ(clients_within(20'000, 20'000, 256), 20'000U - 256 - descriptors_kept);
    EXPECT_EQ(clients_within(20'000, 256, 256), 128U) << "half at least are for clients";
    EXPECT_EQ(clients_within(10, 256, 256), 10U);
}

TEST(Descriptors, ThereIsAlwaysOneAndNothingOverflows) {
    EXPECT_EQ(clients_within(5, 0, 256), 1U);
    EXPECT_EQ(clients_within(5, 1, 0), 1U);
    EXPECT_EQ(clients_within(0, 1024, 0), 1U);
    EXPECT_EQ(clients_within(7, SIZE_MAX, SIZE_MAX - descriptors_kept), 7U);
}

TEST(Descriptors, TheProcessHasSome) { EXPECT_GT(descriptors_of_process(), 10U); }

}  // namespace
}  // namespace etage::gateway
