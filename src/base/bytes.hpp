#pragma once
// Immutable bytes that many may hold.

#include "base/heap.hpp"
#include "base/ref.hpp"

#include <string>
#include <string_view>

namespace etage::base {

class Bytes : public RefCounted {
public:
    explicit Bytes(std::string content) noexcept : content_(std::move(content)) {}

    /// Borrowed from this object: valid while a Ref is held.
    std::string_view view() const noexcept { return content_; }
    std::size_t size() const noexcept { return content_.size(); }
    /// What it occupies on the heap, the allocator's overhead included.
    std::size_t footprint() const noexcept { return heap_bytes(sizeof *this) + heap_bytes_of(content_); }

private:
    std::string content_;
};

/// Gives back what a growing buffer has reserved in vain, if that is more than an eighth: bytes are held for long.
inline Ref<const Bytes> make_bytes(std::string content) {
    if (content.capacity() - content.size() > content.size() / 8) content.shrink_to_fit();
    return make_ref<const Bytes>(std::move(content));
}

}  // namespace etage::base
