#pragma once
// Numbers and texts, one behind the other, as bytes: least significant byte first, texts behind their length.

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace etage::store {

static_assert(std::endian::native == std::endian::little, "the wire format is written by copying");

class WireWriter {
public:
    explicit WireWriter(std::string& out) : out_(out) {}

    template <std::integral T>
    WireWriter& number(T value) {
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    WireWriter& text(std::string_view value) {
        number(static_cast<std::uint32_t>(value.size()));
        out_.append(value);
        return *this;
    }

private:
    std::string& out_;
};

/// After anything that does not fit all further reads give nothing, and ok() is false.
class WireReader {
public:
    explicit WireReader(std::string_view bytes) : rest_(bytes) {}

    bool ok() const noexcept { return ok_; }
    bool at_end() const noexcept { return ok_ && rest_.empty(); }
    std::size_t left() const noexcept { return rest_.size(); }

    template <std::integral T>
    T number() noexcept {
        T value{};
        if (const auto bytes = take(sizeof value); ok_) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    bool flag() noexcept {
        const auto value = number<std::uint8_t>();
        ok_ = ok_ && value <= 1;
        return value == 1;
    }
    /// Borrows.
    std::string_view text() noexcept { return take(number<std::uint32_t>()); }
    /// Of things that take at least `bytes_each`: a count that cannot be true is refused before anything is made.
    std::size_t count(std::size_t bytes_each) noexcept {
        const std::size_t n = number<std::uint32_t>();
        ok_ = ok_ && n <= rest_.size() / bytes_each;
        return ok_ ? n : 0;
    }
    void refuse() noexcept { ok_ = false; }

private:
    std::string_view take(std::size_t n) noexcept {
        if (!ok_ || n > rest_.size()) {
            ok_ = false;
            return {};
        }
        const auto taken = rest_.substr(0, n);
        rest_.remove_prefix(n);
        return taken;
    }

    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace etage::store
