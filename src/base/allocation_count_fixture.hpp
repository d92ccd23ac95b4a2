#pragma once
// For tests that something takes nothing from the heap: replaces the global operators of the whole program, so it is
// included by one file of a test program, once.

#include <cstddef>
#include <cstdlib>
#include <new>

namespace etage::base::testing {

/// Of this thread, so far.
inline thread_local std::size_t allocations = 0;

}  // namespace etage::base::testing

void* operator new(std::size_t size) {
    ++etage::base::testing::allocations;
    if (void* const p = std::malloc(size == 0 ? 1 : size)) return p;
    throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    ++etage::base::testing::allocations;
    const auto align = static_cast<std::size_t>(alignment);
    if (void* const p = std::aligned_alloc(align, (size + align - 1) / align * align)) return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
