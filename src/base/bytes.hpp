#pragma once
// Immutable bytes that many may hold.

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
    /// What it occupies on the heap.
    std::size_t footprint() const noexcept { return sizeof *this + content_.capacity(); }

private:
    std::string content_;
};

inline Ref<const Bytes> make_bytes(std::string content) { return make_ref<const Bytes>(std::move(content)); }

}  // namespace etage::base
