// Real threads on one Engine: what reads promise while marks are published, forgotten and replaced. Bounded loops, no
// sleeps; also the food of ThreadSanitizer.

#include "coherence/engine.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace etage::coherence {
namespace {

constexpr std::size_t tag_count = 40;  // five times the ways of the one set
constexpr std::size_t invalidations = 20'000;

/// Starts all threads at once and waits for them.
template <class... Bodies>
void run_together(Bodies... bodies) {
    std::atomic<bool> go{false};
    std::vector<std::thread> threads;
    const auto start = [&](auto body) {
        threads.emplace_back([&go, body] {
            while (!go.load(std::memory_order_acquire)) std::this_thread::yield();
            body();
        });
    };
    (start(bodies), ...);
    go.store(true, std::memory_order_release);
    for (auto& thread : threads) thread.join();
}

struct Acknowledged {
    std::array<std::atomic<Sequence>, tag_count> hard{};
    std::array<std::atomic<Sequence>, tag_count> soft{};
    std::atomic<bool> done{false};
};

void invalidate_all_the_time(Engine& engine, Acknowledged& acked) {
    for (std::size_t i = 0; i < invalidations; ++i) {
        const TagHash tag = (i * 7) % tag_count;
        const bool soft = i % 3 == 0;
        const Sequence token = engine.invalidate({{&tag, 1}, soft ? Softness::soft : Softness::hard});
        (soft ? acked.soft : acked.hard)[tag].store(token, std::memory_order_release);
    }
    acked.done.store(true, std::memory_order_release);
}

/// Every acknowledged mark is seen, wherever in the table it is at that moment: in its way, moving, or under the floor.
void expect_acknowledged_marks(const Engine& engine, const Acknowledged& acked) {
    for (TagHash tag = 0; !acked.done.load(std::memory_order_acquire); tag = (tag + 1) % tag_count) {
        const Sequence hard = acked.hard[tag].load(std::memory_order_acquire);
        const Sequence soft = acked.soft[tag].load(std::memory_order_acquire);
        if (hard != 0) {
            ASSERT_EQ(engine.judge(hard - 1, {&tag, 1}), Validity::gone);
            ASSERT_FALSE(engine.nothing_after(hard - 1));
        }
        if (soft != 0) {
            ASSERT_NE(engine.judge(soft - 1, {&tag, 1}), Validity::valid);
        }
    }
}

TEST(EngineThreads, AnAcknowledgedMarkIsNeverMissedWhileOthersAreForgotten) {
    Engine engine(0, MarkTable::ways);
    Acknowledged acked;
    run_together([&] { invalidate_all_the_time(engine, acked); }, [&] { expect_acknowledged_marks(engine, acked); },
                 [&] { expect_acknowledged_marks(engine, acked); });
    EXPECT_GT(engine.marks_forgotten(), invalidations / 2);
}

TEST(EngineThreads, AFenceSeesEveryMarkUpToIt) {
    Engine engine(0, MarkTable::ways);
    Acknowledged acked;
    const auto reader = [&] {
        const TagHash all = 0;
        while (!acked.done.load(std::memory_order_acquire)) {
            const Sequence fence = engine.fence();  // odd positions are hard marks of tag 0
            if (fence == 0) continue;
            const Sequence newest_hard = fence - (fence + 1) % 2;
            ASSERT_EQ(engine.judge(newest_hard - 1, {&all, 1}), Validity::gone);
        }
    };
    const auto writer = [&] {
        for (std::size_t i = 0; i < invalidations; ++i) {
            const TagHash tag = i % 2 == 0 ? 0 : 1 + i % (tag_count - 1);
            engine.invalidate({{&tag, 1}});
        }
        acked.done.store(true, std::memory_order_release);
    };
    run_together(writer, reader, reader);
}

TEST(EngineThreads, WritersOnAllDoorsKeepThePositionsInOrder) {
    Engine engine(0, 64);
    const auto writer = [&](TagHash tag) {
        Sequence last = 0;
        for (std::size_t i = 0; i < invalidations / 4; ++i) {
            engine.apply_ahead({{&tag, 1}});
            const Sequence token = engine.invalidate({{&tag, 1}});
            ASSERT_GT(token, last);
            ASSERT_TRUE(engine.caught_up(token));
            ASSERT_EQ(engine.judge(token - 1, {&tag, 1}), Validity::gone);
            last = token;
        }
    };
    const auto floors = [&] {
        for (std::size_t i = 0; i < 100; ++i) {
            const Sequence floor = engine.fence() + 2 * invalidations;  // ahead of what the others do meanwhile
            engine.raise_floor(floor);
            ASSERT_EQ(engine.judge(0, {}), Validity::unsure);
            ASSERT_GE(engine.fence(), engine.floor());
        }
    };
    run_together([&] { writer(1); }, [&] { writer(2); }, floors);
    EXPECT_GE(engine.fence(), invalidations / 2);
}

/// A cache of one value with the rules of DESIGN §4, on real threads.
struct TinyCache {
    struct Entry {
        Sequence fence = 0;
        std::uint64_t version = 0;
    };
    Engine engine{0, MarkTable::ways};
    std::atomic<std::uint64_t> origin{0};
    std::mutex mutex;
    std::optional<Entry> stored;

    std::uint64_t read(TagHash tag) {
        std::optional<Entry> found;
        {
            const std::lock_guard lock(mutex);
            found = stored;
        }
        if (found && engine.judge(found->fence, {&tag, 1}) == Validity::valid) return found->version;
        const Sequence fence = engine.fence();
        const Entry filled{fence, origin.load(std::memory_order_acquire)};
        const std::lock_guard lock(mutex);
        if (!stored || stored->fence <= fence) stored = filled;
        return filled.version;
    }
};

TEST(EngineThreads, NoReadAfterTheAcknowledgementSeesTheOldVersion) {
    TinyCache cache;
    constexpr TagHash tag = 1;
    std::atomic<std::uint64_t> acked{0};
    std::atomic<bool> done{false};
    const auto writer = [&] {
        for (std::uint64_t version = 1; version <= invalidations; ++version) {
            cache.origin.store(version, std::memory_order_release);
            const std::array<TagHash, 2> tags{tag, 2 + version % tag_count};
            cache.engine.invalidate({tags});
            acked.store(version, std::memory_order_release);
        }
        done.store(true, std::memory_order_release);
    };
    const auto reader = [&] {
        while (!done.load(std::memory_order_acquire)) {
            const auto at_least = acked.load(std::memory_order_acquire);
            ASSERT_GE(cache.read(tag), at_least);
        }
    };
    run_together(writer, reader, reader, reader);
    EXPECT_EQ(cache.read(tag), invalidations);
}

}  // namespace
}  // namespace etage::coherence
