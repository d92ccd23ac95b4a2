#include "base/heap.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdint>
#include <cstdlib>

namespace etage::base {
namespace {

static_assert(heap_bytes(0) == 0);
static_assert(heap_bytes(1) == 32);
static_assert(heap_bytes(24) == 32);
static_assert(heap_bytes(25) == 48);
static_assert(heap_bytes(1000) == 1008);

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Heap, TheEstimateIsWhatTheAllocatorTakes) {
    for (const std::size_t n : {1U, 24U, 25U, 100U, 1000U, 1032U, 4096U, 65536U}) {
        void* const p = std::malloc(n);
        EXPECT_EQ(heap_bytes(n), malloc_usable_size(p) + 8) << n;
        std::free(p);
    }
}
#endif

TEST(Heap, ShortStringsKeepNothingOutside) {
    EXPECT_EQ(heap_bytes_of(std::string()), 0U);
    EXPECT_EQ(heap_bytes_of(std::string("short")), 0U);
    EXPECT_GE(heap_bytes_of(std::string(100, 'x')), 101U);
}

TEST(Heap, VectorsCountWhatTheyReserve) {
    std::vector<std::uint64_t> v;
    EXPECT_EQ(heap_bytes_of(v), 0U);
    v.reserve(10);
    EXPECT_EQ(heap_bytes_of(v), heap_bytes(80));
}

}  // namespace
}  // namespace etage::base
