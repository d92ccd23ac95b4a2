// A value as it might lie in Redis. It is read as it is, and once more with its checksum made right, so that what lies
// behind that is reached: what is accepted holds together, and is written and read as the same.

#include "base/hash.hpp"
#include "store/entry_wire.hpp"

#include "fuzz.hpp"

#include <bit>
#include <cstring>
#include <string>

using namespace etage;

namespace {

constexpr Instant now(std::chrono::seconds(1000));
constexpr std::int64_t clock_ms = 1'790'000'000'123;
constexpr std::size_t sealed_from = 20;

std::string sealed(std::string value) {
    if (value.size() < sealed_from) return value;
    value.replace(8, 4, std::string("etg\1", 4));
    Sequence fence = 0;
    std::memcpy(&fence, value.data(), sizeof fence);
    const std::uint64_t checksum = base::hash64(std::string_view(value).substr(sealed_from), std::byteswap(fence));
    std::memcpy(value.data() + 12, &checksum, sizeof checksum);
    return value;
}

void check(const std::string& value) {
    store::Decoded decoded;
    if (!store::decode(value, clock_ms, now, decoded)) return;
    if (const auto* vary = std::get_if<http::VaryNames>(&decoded.content)) {
        fuzz::require(store::encode(decoded.head, *vary) == value);
        return;
    }
    const store::Entry entry(std::move(std::get<store::EntryParts>(decoded.content)));
    fuzz::require(entry.parts().codings.has(http::Coding::identity));
    fuzz::require(entry.parts().codings.has(entry.parts().sent_in));
    const std::string again = store::encode(decoded.head, entry, now);
    store::Decoded twice;
    fuzz::require(store::decode(again, decoded.head.written_ms, now, twice));
    const store::Entry same(std::get<store::EntryParts>(twice.content));
    fuzz::require(store::encode(decoded.head, same, now) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string value(reinterpret_cast<const char*>(data), size);
    check(value);
    check(sealed(value));
    return 0;
}
