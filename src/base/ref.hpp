#pragma once
// Shared, immutable, ref-counted things: the only kind of sharing between threads on the data path.

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace etage::base {

/// Base of what Ref points to. The count lives in the object: one allocation, one cache line.
/// Thread-safe. The last Ref to go deletes the object, on whichever thread that is.
class RefCounted {
public:
    RefCounted() = default;
    RefCounted(const RefCounted&) = delete;
    RefCounted& operator=(const RefCounted&) = delete;

    void retain() const noexcept { count_.fetch_add(1, std::memory_order_relaxed); }

    /// True when the caller held the last reference and must delete.
    [[nodiscard]] bool release() const noexcept { return count_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

protected:
    ~RefCounted() = default;

private:
    mutable std::atomic<std::uint32_t> count_{0};
};

/// A counted pointer to a T derived from RefCounted. Use Ref<const T> for shared things.
template <class T>
class Ref {
public:
    Ref() = default;
    Ref(std::nullptr_t) noexcept {}
    explicit Ref(T* p) noexcept : p_(p) {
        if (p_) p_->retain();
    }
    Ref(const Ref& o) noexcept : Ref(o.p_) {}
    Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
    template <class U>
        requires std::convertible_to<U*, T*>
    Ref(const Ref<U>& o) noexcept : Ref(o.get()) {}
    Ref& operator=(Ref o) noexcept {
        std::swap(p_, o.p_);
        return *this;
    }
    ~Ref() {
        if (p_ && p_->release()) delete p_;
    }

    T* get() const noexcept { return p_; }
    T& operator*() const noexcept { return *p_; }
    T* operator->() const noexcept { return p_; }
    explicit operator bool() const noexcept { return p_ != nullptr; }
    friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.p_ == b.p_; }

private:
    T* p_ = nullptr;
};

template <class T, class... Args>
Ref<T> make_ref(Args&&... args) {
    return Ref<T>(new T(std::forward<Args>(args)...));
}

}  // namespace etage::base
