// memory.limit is a promise to whoever runs the machine: what is reckoned is compared with what the process takes.

#include "store/entry_fixture.hpp"
#include "store/memory_store.hpp"

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <random>
#include <string>

namespace etage::store {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

/// Sanitizers keep what is freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

/// Before a measurement begins: what earlier tests freed is not to be had for nothing. Never at its end, because a
/// process at work does not do it either: what fragmentation costs must be seen.
void return_free_memory() {
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
}

std::size_t resident_bytes() {
    std::size_t total = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// An entry as the flow makes one: fields, tags, two heads, a body.
base::Ref<const Entry> realistic_entry(std::mt19937_64& random, std::size_t i, std::size_t body_bytes) {
    EntryParts parts = testing::parts_of({.key = "https://example.org/posts/" + std::to_string(i)});
    parts.tags = {random(), random(), random(), random(), random()};
    parts.fields.add("Content-Type", "application/json");
    parts.fields.add("Date", "Wed, 25 Nov 2026 02:00:00 GMT");
    parts.fields.add("Cache-Control", "public, max-age=60");
    parts.etag = "\"0123456789abcdef0123456789abcdef\"";
    Representation& r = parts.representations[0];
    r.etag = parts.etag;
    r.head = std::string(200, 'h');
    r.head_not_modified = std::string(120, 'n');
    r.body = base::make_bytes(std::string(body_bytes, static_cast<char>('a' + i % 26)));
    return base::make_ref<const Entry>(std::move(parts));
}

/// Fills a store `turnovers` times over; what the process has grown by, as a part of the limit.
double growth_when_full(std::size_t bytes_max, std::size_t turnovers, std::size_t body_bytes_min,
                        std::size_t body_bytes_max) {
    std::mt19937_64 random(5);
    std::uniform_int_distribution<std::size_t> size(body_bytes_min, body_bytes_max);
    return_free_memory();
    const std::size_t before = resident_bytes();
    MemoryStore store({.bytes_max = bytes_max});
    std::size_t put = 0;
    for (std::size_t i = 0; put < turnovers * bytes_max; ++i) {
        const auto entry = realistic_entry(random, i, size(random));
        put += entry->footprint();
        EXPECT_EQ(store.put(entry, {}), MemoryStore::Put::stored);
    }
    EXPECT_GT(store.usage().bytes, bytes_max * 9 / 10);
    EXPECT_LE(store.usage().bytes, bytes_max);
    return static_cast<double>(resident_bytes() - before) / static_cast<double>(bytes_max);
}

TEST(MemoryStoreBytes, TheProcessGrowsByTheLimitAndLittleMore) {
    if (sanitized) GTEST_SKIP();
    const double growth = growth_when_full(64 * mib, 4, 4096, 4096);
    RecordProperty("growth", std::to_string(growth));
    EXPECT_LE(growth, 1.1);
}

// The holes that shelves of other sizes leave behind are the allocator's. Measured at 16 MiB, resident / limit: 1.08
// after 4 turnovers, 1.13 after 16, 1.22 after 64, and 1.21 to 1.23 from there to 4096. Larger stores have fewer (64
// MiB: 1.13). So the test goes as far as the plateau: one that stopped at 4 would prove nothing.
TEST(MemoryStoreBytes, FragmentationIsBoundedAfterManyTurnovers) {
    if (sanitized) GTEST_SKIP();
    const double growth = growth_when_full(16 * mib, 64, 0, 8192);
    RecordProperty("growth", std::to_string(growth));
    EXPECT_LE(growth, 1.3);
}

TEST(MemoryStoreBytes, TheReckoningIsNotMuchTooHighEither) {
    if (sanitized) GTEST_SKIP();
    std::mt19937_64 random(5);
    return_free_memory();
    MemoryStore store({.bytes_max = 256 * mib});
    for (std::size_t i = 0; i < 2000; ++i) store.put(realistic_entry(random, i, 4096), {});
    const std::size_t resident = resident_bytes();
    const std::size_t reckoned = store.usage().bytes;
    for (std::size_t i = 2000; i < 12'000; ++i) store.put(realistic_entry(random, i, 4096), {});
    const auto grown = static_cast<double>(resident_bytes() - resident);
    EXPECT_GE(grown, 0.9 * static_cast<double>(store.usage().bytes - reckoned));
}

}  // namespace
}  // namespace etage::store
