#include "redis/entry_store.hpp"

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "redis/claim.hpp"
#include "store/entry_wire.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>

namespace etage::redis {

namespace {

using std::chrono::milliseconds;
using store::RemoteName;

constexpr Duration with_validator = std::chrono::minutes(1);

/// DESIGN §4 rule 3. A value of another generation is worth nothing, whatever its fence; numbers of 64 bits are
/// compared in halves, because Lua's have 53; a value of another type is in the way, and goes.
const Script& put_script() {
    static const Script script(R"(
local old = redis.pcall('GETRANGE', KEYS[1], 0, 28)
if type(old) ~= 'string' then redis.call('DEL', KEYS[1]) old = '' end
if #old == 29 and string.sub(old, 22, 29) == string.sub(ARGV[1], 22, 29) then
  local oh, ol = struct.unpack('>I4I4', old)
  local nh, nl = struct.unpack('>I4I4', ARGV[1])
  if oh > nh or (oh == nh and ol > nl) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1)");
    return script;
}

/// In one slot with the value's own name.
std::string beside(const std::string& value_name, std::string_view what) {
    return "{" + value_name + "}:" + std::string(what);
}

std::string variant_name(const std::string& value_name, std::string_view secondary) {
    return beside(value_name, base::hex(base::strong_hash({}, secondary)));
}

std::string secondary_of(const http::VaryNames& vary, http::FieldSpan request) {
    std::string text;
    http::append_secondary_key(text, vary, request);
    return text;
}

std::string in_ms(Duration d) { return std::to_string(std::chrono::ceil<milliseconds>(d).count()); }

}  // namespace

Duration useful_for(const store::EntryParts& parts, Instant now) noexcept {
    const http::Stamps& stamps = parts.stamps;
    Duration stale =
        stamps.must_revalidate ? Duration::zero() : std::max(stamps.stale_while_revalidate, stamps.stale_if_error);
    const bool validates = (!parts.etag.empty() && !parts.etag_is_ours) || !parts.last_modified.empty();
    if (validates) stale = std::max(stale, with_validator);
    return std::max(stamps.ttl(now) + stale, Duration::zero());
}

EntryStore::EntryStore(Client& client, const coherence::Engine& engine, const LogClock& clock, std::string name_space,
                       const std::atomic<std::uint64_t>& generation, base::Metrics& metrics, const EntryLimits& limits)
    : client_(client),
      engine_(engine),
      clock_(clock),
      name_space_(std::move(name_space)),
      generation_(generation),
      metrics_(metrics),
      limits_(limits) {}

bool EntryStore::is_away() const noexcept {
    return generation_.load(std::memory_order_acquire) == 0 || client_.away(name_space_);
}

store::RemoteStore::Found EntryStore::away() const noexcept {
    metrics_.add(base::Counter::redis_away);
    return {Answer::away, nullptr};
}

std::string EntryStore::value_name(std::string_view name) const {
    std::string out;
    out.reserve(name_space_.size() + 1 + name.size());
    return out.append(name_space_).append(1, ':').append(name);
}

/// Where a request looks first.
std::string EntryStore::lookup_name(const RemoteName& name) const {
    std::string value = value_name(name.name);
    if (name.vary == nullptr || name.vary->names.empty()) return value;
    return variant_name(value, secondary_of(*name.vary, name.request));
}

asio::awaitable<Result<Reply>> EntryStore::ask(std::string_view verb, const RemoteName& name, Instant deadline) {
    return client_.call(Command(verb, lookup_name(name)), deadline);
}

asio::awaitable<store::RemoteStore::Found> EntryStore::find(const RemoteName& name, Instant deadline) {
    if (is_away()) co_return away();
    const auto reply = co_await ask("GET", name, deadline);
    if (!reply) co_return away();
    http::VaryNames vary;
    Found found = read(name, *reply, &vary);
    if (found.answer == Answer::away) co_await ask("UNLINK", name, deadline);
    if (!vary.names.empty()) found = co_await find_variant(name, vary, deadline);
    if (found.answer == Answer::away) found.answer = Answer::miss;  // damaged, and gone now
    metrics_.add(found.answer == Answer::hit ? base::Counter::redis_hits : base::Counter::redis_misses);
    co_return found;
}

/// The second trip: what stands under the name says on what its variants vary.
asio::awaitable<store::RemoteStore::Found> EntryStore::find_variant(const RemoteName& name, const http::VaryNames& vary,
                                                                    Instant deadline) {
    RemoteName variant = name;
    variant.vary = &vary;
    const auto reply = co_await ask("GET", variant, deadline);
    if (!reply) co_return Found{};
    co_return read(variant, *reply, nullptr);
}

/// A miss; a hit; away: what is there must go. A value that tells on what others vary fills in `vary`.
store::RemoteStore::Found EntryStore::read(const RemoteName& name, const Reply& value, http::VaryNames* vary) {
    if (value.is_error("WRONGTYPE")) return damaged();
    if (!value.is(Reply::Kind::bulk)) return {};
    const auto unsealed = store::unseal(value.text);
    if (!unsealed) return damaged();
    if (unsealed->head.generation != generation_.load(std::memory_order_acquire)) return {};
    if (unsealed->kind == store::Unsealed::Kind::vary) {
        http::VaryNames names;
        if (!store::read_vary(*unsealed, names)) return damaged();
        if (vary != nullptr) *vary = std::move(names);
        return {};
    }
    const Instant now = base::TimerClock::now();
    bool is_whole = false;
    auto entry = base::make_ref<const store::Entry>([&](store::EntryParts& parts) {
        is_whole = store::read_entry(*unsealed, clock_.at_most(now), now, parts);
        parts.key_hash = name.key_hash;
    });
    // The name is a hash of the key: another one is no chance, but somebody's mistake.
    if (!is_whole || entry->parts().key != name.key) return damaged();
    const auto& secondary = entry->parts().secondary_key;
    const bool is_right =
        name.vary != nullptr ? secondary == secondary_of(*name.vary, name.request) : secondary.empty();
    if (!is_right) return {};
    return {Answer::hit, std::move(entry)};
}

/// What is there must go.
store::RemoteStore::Found EntryStore::damaged() const noexcept {
    metrics_.add(base::Counter::redis_damaged);
    return {Answer::away, nullptr};
}

asio::awaitable<store::RemoteStore::Claimed> EntryStore::claim(const RemoteName& name, Sequence fence,
                                                               Instant deadline) {
    if (is_away()) co_return Claimed{};
    const std::string key = lookup_name(name);
    const std::string claim_name = beside(value_name(name.name), "claim");
    const std::string text = ClaimText::make(fence);
    const std::string lasts = in_ms(limits_.claim_for);
    std::vector<Command> commands;
    commands.emplace_back(key, std::initializer_list<std::string_view>{"SET", claim_name, text, "NX", "PX", lasts});
    commands.emplace_back(key, std::initializer_list<std::string_view>{"GET", claim_name});
    commands.emplace_back(key, std::initializer_list<std::string_view>{"GET", key});
    const auto executor = co_await asio::this_coro::executor;
    const auto replies = co_await client_.call(std::move(commands), deadline);
    Claimed out;
    if (!replies) co_return out;
    out.answer = Answer::miss;
    if ((*replies)[0].is(Reply::Kind::status)) {
        out.answer = Answer::hit;
        out.claim = std::make_shared<Claim>(executor, client_, claim_name, text, limits_.claim_for);
        out.entry = read(name, (*replies)[2], nullptr).entry;
    } else if (const auto theirs = ClaimText::parse((*replies)[1].text)) {
        out.fence = theirs->fence;
    } else {
        out.is_shareable = (*replies)[1].text != ClaimText::abandoned;
    }
    co_return out;
}

// ---- write-behind

struct EntryStore::Write {
    Write(std::shared_ptr<Pending> p, std::size_t b) : pending(std::move(p)), bytes(b) {
        pending->writes.fetch_add(1, std::memory_order_relaxed);
        pending->bytes.fetch_add(bytes, std::memory_order_relaxed);
    }
    ~Write() {
        pending->bytes.fetch_sub(bytes, std::memory_order_relaxed);
        pending->writes.fetch_sub(1, std::memory_order_release);
    }
    Write(const Write&) = delete;
    Write& operator=(const Write&) = delete;

    std::shared_ptr<Pending> pending;
    std::size_t bytes;
    std::string name;      // of the value
    std::string signpost;  // what to write there first, when the entry is one of several; or nothing
    std::string signpost_name;
    std::string value;
    std::string kept_ms;
    std::shared_ptr<store::RemoteClaim> claim;
};

void EntryStore::put(const asio::any_io_executor& executor, std::string_view name, base::Ref<const store::Entry> entry,
                     const http::VaryNames& vary, std::shared_ptr<store::RemoteClaim> claim, Instant now) {
    const store::EntryParts& parts = entry->parts();
    const Duration kept_for = std::min(useful_for(parts, now), limits_.kept_for_max);
    if (kept_for < milliseconds(1) || is_away()) return;
    const bool too_many = pending_->writes.load(std::memory_order_relaxed) >= limits_.writes_max ||
                          pending_->bytes.load(std::memory_order_relaxed) >= limits_.write_bytes_max;
    if (too_many || entry->footprint() > limits_.value_bytes_max) {
        metrics_.add(too_many ? base::Counter::redis_writes_dropped : base::Counter::redis_values_too_large);
        return;
    }
    // A new history comes in three steps: no generation, its floor, its generation. So a fence of the new one never
    // goes out under the old name; and what was judged before this load may be below the floor, so it is judged again.
    const store::WireHead head{parts.fence, generation_.load(std::memory_order_acquire), clock_.at_least(now)};
    if (head.generation == 0) return;
    if (engine_.judge(parts.fence, parts.tags) > coherence::Validity::stale) return;
    std::string value = store::encode(head, *entry, now);
    auto write = std::make_shared<Write>(pending_, value.size());
    write->value = std::move(value);
    write->name = value_name(name);
    write->kept_ms = in_ms(kept_for);
    write->claim = std::move(claim);
    if (!vary.names.empty()) {
        write->signpost_name = write->name;
        write->signpost = store::encode(head, vary);
        write->name = variant_name(write->name, parts.secondary_key);
    }
    asio::co_spawn(executor, this->write(std::move(write)), asio::detached);
}

asio::awaitable<void> EntryStore::write(std::shared_ptr<Write> write) {
    const Instant deadline = base::read_clock().mono + limits_.write_time_max;
    if (!write->signpost.empty()) {
        const std::vector<std::string> keys{write->signpost_name};
        const std::vector<std::string> arguments{write->signpost, write->kept_ms};
        const auto done = co_await client_.run(put_script(), keys, arguments, deadline);
        if (!done) co_return;
    }
    const std::vector<std::string> keys{write->name};
    std::vector<std::string> arguments;
    arguments.push_back(std::move(write->value));
    arguments.push_back(write->kept_ms);
    const auto done = co_await client_.run(put_script(), keys, arguments, deadline);
    const bool written = done && done->is(Reply::Kind::integer) && done->integer == 1;
    metrics_.add(written ? base::Counter::redis_writes : base::Counter::redis_writes_dropped);
}

}  // namespace etage::redis
