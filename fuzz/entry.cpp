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
constexpr std::size_t sealed_from = 20;

std::string sealed(std::string value) {
    if (value.size() < sealed_from) return value;
    value.replace(8, 3, "etg");
    value[11] = static_cast<char>(store::wire_version);
    Sequence fence = 0;
    std::memcpy(&fence, value.data(), sizeof fence);
    const std::uint64_t checksum = base::hash64(std::string_view(value).substr(sealed_from), std::byteswap(fence));
    std::memcpy(value.data() + 12, &checksum, sizeof checksum);
    return value;
}

void check(const std::string& value) {
    const auto unsealed = store::unseal(value);
    if (!unsealed) return;
    http::VaryNames vary;
    if (store::read_vary(*unsealed, vary)) fuzz::require(store::encode(unsealed->head, vary) == value);
    store::EntryParts parts;
    if (!store::read_entry(*unsealed, unsealed->head.written_ms, now, parts)) return;
    fuzz::require(parts.codings.has(http::Coding::identity) && parts.codings.has(parts.sent_in));
    const std::string again = store::encode(unsealed->head, store::Entry(std::move(parts)), now);
    const auto twice = store::unseal(again);
    store::EntryParts same;
    fuzz::require(twice && store::read_entry(*twice, twice->head.written_ms, now, same));
    fuzz::require(store::encode(twice->head, store::Entry(std::move(same)), now) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string value(reinterpret_cast<const char*>(data), size);
    check(value);
    check(sealed(value));
    return 0;
}
