#include "account_api.hpp"

#include <gtest/gtest.h>

namespace etage::demo {
namespace {

TEST(UserOf, ReadsABearerTokenAsAName) {
    EXPECT_EQ(user_of("Bearer alice"), "alice");
    EXPECT_EQ(user_of("bEARER a.b-c_D9"), "a.b-c_D9");
}

TEST(UserOf, NothingElseIsAUser) {
    for (const std::string text :
         {"", "Bearer", "Bearer ", "Bearer  alice", "Bearer a b", "Basic YWxpY2U6c2VjcmV0", "alice", "Bearer \"x\""})
        EXPECT_FALSE(user_of(text)) << text;
    EXPECT_FALSE(user_of("Bearer " + std::string(65, 'a')));
}

}  // namespace
}  // namespace etage::demo
