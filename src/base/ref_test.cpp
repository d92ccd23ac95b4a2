#include "base/ref.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <type_traits>
#include <vector>

namespace etage::base {
namespace {

class Witness : public RefCounted {
public:
    explicit Witness(std::atomic<int>& deaths, int v = 0) : value(v), deaths_(deaths) {}
    ~Witness() { deaths_.fetch_add(1); }
    int value;

private:
    std::atomic<int>& deaths_;
};

static_assert(std::is_nothrow_move_constructible_v<Ref<const Witness>>);
static_assert(std::is_nothrow_copy_constructible_v<Ref<const Witness>>);
static_assert(std::is_convertible_v<Ref<Witness>, Ref<const Witness>>);
static_assert(!std::is_convertible_v<Ref<const Witness>, Ref<Witness>>);
static_assert(sizeof(Ref<Witness>) == sizeof(void*));

TEST(Ref, TheLastReferenceDeletes) {
    std::atomic<int> deaths{0};
    {
        Ref<const Witness> a = make_ref<const Witness>(deaths, 3);
        {
            const Ref<const Witness> b = a;
            EXPECT_EQ(a, b);
            a = nullptr;
            EXPECT_FALSE(a);
            EXPECT_EQ(deaths, 0);
            EXPECT_EQ(b->value, 3);
            EXPECT_EQ((*b).value, 3);
        }
        EXPECT_EQ(deaths, 1);
    }
    EXPECT_EQ(deaths, 1);
}

TEST(Ref, NullIsEmptyAndHarmless) {
    const Ref<Witness> none;
    const Ref<Witness> also = nullptr;
    const Ref<Witness> copy = none;
    EXPECT_FALSE(none);
    EXPECT_EQ(none.get(), nullptr);
    EXPECT_EQ(also, copy);
}

TEST(Ref, MovingHandsOverWithoutCounting) {
    std::atomic<int> deaths{0};
    Ref<Witness> a = make_ref<Witness>(deaths);
    const Witness* const p = a.get();
    const Ref<Witness> b = std::move(a);
    EXPECT_EQ(b.get(), p);
    EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): emptied, by contract
    EXPECT_EQ(deaths, 0);
}

TEST(Ref, AssigningReleasesWhatWasHeld) {
    std::atomic<int> deaths{0};
    Ref<Witness> a = make_ref<Witness>(deaths, 1);
    a = make_ref<Witness>(deaths, 2);
    EXPECT_EQ(deaths, 1);
    EXPECT_EQ(a->value, 2);
    const Ref<Witness>& same = a;
    a = same;
    EXPECT_EQ(deaths, 1);
    EXPECT_EQ(a->value, 2);
}

TEST(Ref, AMutableThingIsFrozenByConversion) {
    std::atomic<int> deaths{0};
    Ref<const Witness> frozen;
    {
        const Ref<Witness> a = make_ref<Witness>(deaths);
        a->value = 9;
        frozen = a;
    }
    EXPECT_EQ(deaths, 0);
    EXPECT_EQ(frozen->value, 9);
}

TEST(Ref, ManyThreadsOneDeath) {
    std::atomic<int> deaths{0};
    {
        std::vector<std::jthread> threads;
        const Ref<const Witness> shared = make_ref<const Witness>(deaths, 5);
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([mine = shared] {
                for (int i = 0; i < 10'000; ++i) {
                    const Ref<const Witness> copy = mine;
                    if (copy->value != 5) std::abort();
                }
            });
    }
    EXPECT_EQ(deaths, 1);
}

}  // namespace
}  // namespace etage::base
