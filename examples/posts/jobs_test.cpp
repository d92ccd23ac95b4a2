#include "jobs.hpp"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

namespace etage::demo {
namespace {

/// Jobs run in order on one thread: when a later one has begun, the earlier ones have ended.
void wait_for_all(Jobs& jobs) {
    std::promise<void> reached;
    ASSERT_TRUE(jobs.start("last", [&] {
        reached.set_value();
        return std::size_t{0};
    }));
    reached.get_future().wait();
}

TEST(Jobs, AJobCanBeLookedAt) {
    Jobs jobs;
    const auto id = jobs.start("count", [] { return std::size_t{7}; });
    ASSERT_TRUE(id);
    wait_for_all(jobs);
    const auto job = jobs.find(*id);
    ASSERT_TRUE(job);
    EXPECT_EQ(job->what, "count");
    EXPECT_EQ(state_name(job->state), "done");
    EXPECT_EQ(job->result, 7U);
    EXPECT_FALSE(jobs.find(99));
}

TEST(Jobs, AJobThatThrowsHasFailed) {
    Jobs jobs;
    const auto id = jobs.start("fail", []() -> std::size_t { throw std::runtime_error("no luck"); });
    wait_for_all(jobs);
    EXPECT_EQ(jobs.find(*id)->state, Jobs::State::failed);
    EXPECT_EQ(jobs.find(*id)->error, "no luck");
}

TEST(Jobs, TooManyAreRefusedAndTheEndDoesNotWaitForThem) {
    std::promise<void> release;
    auto released = release.get_future().share();
    std::promise<void> running;
    int ran = 0;
    {
        Jobs jobs;
        ASSERT_TRUE(jobs.start("blocks", [&, released] {
            running.set_value();
            released.wait();
            return std::size_t{0};
        }));
        running.get_future().wait();
        for (std::size_t i = 0; i < Jobs::waiting_max; ++i)
            ASSERT_TRUE(jobs.start("waits", [&ran] { return static_cast<std::size_t>(++ran); }));
        EXPECT_FALSE(jobs.start("one too many", [] { return std::size_t{0}; }));
        EXPECT_EQ(jobs.find(1)->state, Jobs::State::running);
        EXPECT_EQ(jobs.find(2)->state, Jobs::State::waiting);
        release.set_value();
    }
    EXPECT_LE(ran, static_cast<int>(Jobs::waiting_max));
}

TEST(Jobs, OldOnesAreForgotten) {
    Jobs jobs;
    const auto first = jobs.start("first", [] { return std::size_t{0}; });
    for (std::size_t i = 0; i < Jobs::remembered_max + 10; ++i) wait_for_all(jobs);
    EXPECT_FALSE(jobs.find(*first));
}

}  // namespace
}  // namespace etage::demo
