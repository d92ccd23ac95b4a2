#include "store/entry_wire.hpp"

#include "base/hash.hpp"
#include "store/wire_text.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace etage::store {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view magic = "etg";
constexpr std::size_t checked_from = wire_fence_bytes + 3 + 1 + 8;  // fence, magic, version, checksum
constexpr std::int64_t latest_ms = std::int64_t{1} << 43U;          // the year 2248: what is later is nonsense
constexpr milliseconds latest_passed = std::chrono::hours(24 * 366 * 100);
using Kind = Unsealed::Kind;

std::uint64_t checksum_of(std::string_view value, Sequence fence) noexcept {
    return base::hash64(value.substr(checked_from), fence);
}

std::string begin(const WireHead& head, Kind kind, std::size_t about) {
    std::string out;
    out.reserve(about);
    WireWriter writer(out);
    writer.number(std::byteswap(head.fence));
    out += magic;
    writer.number(wire_version).number(std::uint64_t{0});  // the checksum, when all is there
    writer.number(static_cast<std::uint8_t>(kind)).number(head.generation);
    writer.number(head.written_ms);
    return out;
}

std::string sealed(std::string value, Sequence fence) {
    const std::uint64_t checksum = checksum_of(value, fence);
    std::memcpy(value.data() + checked_from - sizeof checksum, &checksum, sizeof checksum);
    return value;
}

// ---- what is written, and read, in this order

void write_stamps(WireWriter& out, const http::Stamps& s, Instant now) {
    out.number(s.age(now).count()).number(s.freshness_lifetime.count());
    out.number(s.stale_while_revalidate.count()).number(s.stale_if_error.count());
    for (const bool flag : {s.must_revalidate, s.no_cache, s.heuristic}) out.number(std::uint8_t{flag});
}

http::Stamps read_stamps(WireReader& in, Duration passed, Instant now) {
    http::Stamps s;
    const auto duration = [&] {
        const Duration value(in.number<Duration::rep>());
        // A year is RFC 9111's idea of for ever; sums of what is read stay far from overflow.
        if (value < Duration::zero() || value > std::chrono::hours(24 * 366 * 100)) in.refuse();
        return value;
    };
    s.initial_age = duration() + passed;
    s.freshness_lifetime = duration();
    s.stale_while_revalidate = duration();
    s.stale_if_error = duration();
    s.must_revalidate = in.flag();
    s.no_cache = in.flag();
    s.heuristic = in.flag();
    s.response_time = now;
    return s;
}

std::uint8_t bits_of(http::CodingSet set) noexcept {
    std::uint8_t bits = 0;
    for (std::size_t c = 0; c < http::coding_count; ++c)
        if (set.has(static_cast<http::Coding>(c))) bits = static_cast<std::uint8_t>(bits | 1U << c);
    return bits;
}

http::CodingSet read_codings(WireReader& in) noexcept {
    http::CodingSet set;
    const auto bits = in.number<std::uint8_t>();
    if (bits >= 1U << http::coding_count) in.refuse();
    for (std::size_t c = 0; c < http::coding_count; ++c)
        if ((bits & 1U << c) != 0) set = set.with(static_cast<http::Coding>(c));
    return set;
}

http::Coding read_coding(WireReader& in) noexcept {
    const auto coding = in.number<std::uint8_t>();
    if (coding >= http::coding_count) in.refuse();
    return static_cast<http::Coding>(coding % http::coding_count);
}

void write_representations(WireWriter& out, const EntryParts& parts) {
    out.number(bits_of(parts.codings));
    for (const Representation& r : parts.representations) {
        if (!parts.codings.has(static_cast<http::Coding>(&r - parts.representations.data()))) continue;
        out.number(static_cast<std::uint8_t>(r.coding)).text(r.etag).text(r.head).text(r.head_not_modified);
        out.number(std::uint8_t{r.strong}).number(std::uint8_t{r.body != nullptr});
        if (r.body) out.text(r.body->view());
    }
}

void read_representations(WireReader& in, EntryParts& parts) {
    parts.codings = read_codings(in);
    for (std::size_t c = 0; c < http::coding_count && in.ok(); ++c) {
        if (!parts.codings.has(static_cast<http::Coding>(c))) continue;
        Representation& r = parts.representations[c];
        r.coding = read_coding(in);
        r.etag = in.text();
        r.head = in.text();
        r.head_not_modified = in.text();
        r.strong = in.flag();
        if (in.flag()) r.body = base::make_bytes(std::string(in.text()));
        // Only where there is no content at all is there none in a coding.
        if ((r.body == nullptr) != (parts.representations[0].body == nullptr) || r.head.empty()) in.refuse();
    }
    if (!parts.codings.has(http::Coding::identity) || !parts.codings.has(parts.sent_in)) in.refuse();
}

void write_fields(WireWriter& out, http::FieldSpan fields) {
    out.number(static_cast<std::uint32_t>(fields.size()));
    for (const http::Field& field : fields) out.text(field.name).text(field.value);
}

void read_fields(WireReader& in, http::Fields& fields) {
    for (std::size_t n = in.count(8); n > 0 && in.ok(); --n) {
        const auto name = in.text();
        const auto value = in.text();
        if (in.ok()) fields.add(name, value);
    }
}

}  // namespace

std::string encode(const WireHead& head, const Entry& entry, Instant now) {
    const EntryParts& parts = entry.parts();
    std::string out = begin(head, Kind::entry, entry.footprint());
    WireWriter writer(out);
    writer.text(parts.key).text(parts.secondary_key).text(parts.search_key);
    writer.number(static_cast<std::uint32_t>(parts.tags.size()));
    for (const TagHash tag : parts.tags) writer.number(tag);
    write_stamps(writer, parts.stamps, now);
    writer.number(parts.route_revision).number(std::uint8_t{parts.for_authorized});
    writer.number(static_cast<std::uint16_t>(parts.status));
    write_fields(writer, parts.fields);
    writer.text(parts.etag).number(std::uint8_t{parts.etag_is_ours}).text(parts.last_modified);
    writer.number(std::uint8_t{parts.codable}).number(bits_of(parts.tried));
    writer.number(static_cast<std::uint8_t>(parts.sent_in)).number(std::uint8_t{parts.undecoded.has_value()});
    if (parts.undecoded) writer.number(static_cast<std::uint8_t>(*parts.undecoded));
    write_representations(writer, parts);
    return sealed(std::move(out), head.fence);
}

std::string encode(const WireHead& head, const http::VaryNames& vary) {
    std::string out = begin(head, Kind::vary, 256);
    WireWriter writer(out);
    writer.number(static_cast<std::uint32_t>(vary.names.size()));
    for (const std::string& name : vary.names) writer.text(name);
    return sealed(std::move(out), head.fence);
}

std::optional<Unsealed> unseal(std::string_view bytes) noexcept {
    WireReader in(bytes);
    Unsealed out;
    out.head.fence = std::byteswap(in.number<Sequence>());
    std::array<char, 3> mark{};
    for (char& c : mark) c = in.number<char>();
    if (!in.ok() || std::string_view(mark.data(), mark.size()) != magic || in.number<std::uint8_t>() != wire_version)
        return std::nullopt;
    const auto checksum = in.number<std::uint64_t>();
    if (!in.ok() || checksum != checksum_of(bytes, out.head.fence)) return std::nullopt;
    out.kind = static_cast<Kind>(in.number<std::uint8_t>());
    out.head.generation = in.number<std::uint64_t>();
    out.head.written_ms = in.number<std::int64_t>();
    const bool is_possible = out.head.written_ms >= 0 && out.head.written_ms <= latest_ms;
    if (!in.ok() || !is_possible || (out.kind != Kind::entry && out.kind != Kind::vary)) return std::nullopt;
    out.content = bytes.substr(bytes.size() - in.left());
    return out;
}

bool read_entry(const Unsealed& value, std::int64_t clock_ms, Instant now, EntryParts& parts) {
    if (value.kind != Kind::entry) return false;
    WireReader in(value.content);
    parts.fence = value.head.fence;
    parts.key = in.text();
    parts.secondary_key = in.text();
    parts.search_key = in.text();
    parts.tags.resize(in.count(sizeof(TagHash)));
    for (TagHash& tag : parts.tags) tag = in.number<TagHash>();
    if (!std::ranges::is_sorted(parts.tags)) in.refuse();
    const milliseconds passed(std::clamp<std::int64_t>(clock_ms - value.head.written_ms, 0, latest_passed.count()));
    parts.stamps = read_stamps(in, passed, now);
    parts.route_revision = in.number<std::uint32_t>();
    parts.for_authorized = in.flag();
    parts.status = in.number<std::uint16_t>();
    if (parts.status < 200 || parts.status > 999) in.refuse();
    read_fields(in, parts.fields);
    parts.etag = in.text();
    parts.etag_is_ours = in.flag();
    parts.last_modified = in.text();
    parts.codable = in.flag();
    parts.tried = read_codings(in);
    parts.sent_in = read_coding(in);
    if (in.flag()) parts.undecoded = read_coding(in);
    read_representations(in, parts);
    return in.at_end();
}

bool read_vary(const Unsealed& value, http::VaryNames& out) {
    if (value.kind != Kind::vary) return false;
    WireReader in(value.content);
    for (std::size_t n = in.count(4); n > 0 && in.ok(); --n) out.names.emplace_back(in.text());
    return in.at_end();
}

}  // namespace etage::store
