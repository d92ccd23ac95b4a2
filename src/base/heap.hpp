#pragma once
// What an allocation really takes: the header and the rounding of glibc's malloc included; others differ by a few
// percent. For everything that is counted against a limit in bytes.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace etage::base {

/// Bytes taken from the system for an allocation of `n` bytes; none for none.
constexpr std::size_t heap_bytes(std::size_t n) noexcept {
    constexpr std::size_t header = 8;
    constexpr std::size_t grain = 16;
    constexpr std::size_t smallest = 32;
    return n == 0 ? 0 : std::max(smallest, (n + header + grain - 1) / grain * grain);
}

/// What a string keeps outside of itself.
inline std::size_t heap_bytes_of(const std::string& s) noexcept {
    return s.capacity() <= std::string().capacity() ? 0 : heap_bytes(s.capacity() + 1);
}

/// What a vector keeps outside of itself; not what its elements keep.
template <class T>
std::size_t heap_bytes_of(const std::vector<T>& v) noexcept {
    return heap_bytes(v.capacity() * sizeof(T));
}

}  // namespace etage::base
