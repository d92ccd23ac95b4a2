#include "redis/quotas_script.hpp"

#include "redis/words.hpp"

#include <algorithm>
#include <utility>

namespace etage::redis {

namespace {

using limit::Algorithm;
using limit::Quota;

// `spare`: keys live so many ms longer than they are of use, because Redis may see them expire a little early.
constexpr std::string_view source = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local top = 9007199254740991
local spare = 1000
local min, max, ceil, floor = math.min, math.max, math.ceil, math.floor

-- Buckets count in `used`; windows, which have `begin`, in `current` and `previous`.
local function read(c, text)
  if not c.begin then
    local written, used, unit = string.match(text, '^bucket (%d+) (%d+) (%l%l)$')
    if not written then return end
    if unit == 'us' and c.unit == 'ns' then used = used * 1000 end
    if unit == 'ns' and c.unit == 'us' then used = ceil(used / 1000) end
    c.changed = now < tonumber(written)
    c.used = max(0, min(tonumber(used), top) - max(0, now - written) * c.per_us)
    return
  end
  local begun, current, previous = string.match(text, '^windows (%d+) (%d+) (%d+)$')
  if not begun then return end
  begun, current, previous = tonumber(begun), min(tonumber(current), top), min(tonumber(previous), top)
  -- The clock was set back: a little, and the window goes on; by more, and what it counted counts now.
  if begun > c.begin and begun - c.begin <= c.size then c.begin = begun end
  c.changed = begun > c.begin
  if begun >= c.begin then
    c.current, c.previous = current, c.slides and previous or 0
  elseif c.slides and c.begin - begun <= c.size then
    c.previous = current
  end
end

local function idle_after(c)
  if not c.begin then return c.used end
  if c.current == 0 and c.previous == 0 then return 0 end
  return c.begin + (c.slides and 2 or 1) * c.size - now
end

local function raise(c, idle, current, previous)
  if not c.begin then
    c.used = max(c.used, idle)
    return
  end
  local newer = now + idle - (c.slides and 2 or 1) * c.size - c.begin
  if newer < -c.size / 2 then
    if c.slides then c.previous = max(c.previous, current) end
  else
    c.current = max(c.current, current)
    if newer > c.size / 2 then
      c.current = max(c.current, previous)
    elseif c.slides then
      c.previous = max(c.previous, previous)
    end
  end
end

local function credit(c, n)
  local of_current = min(c.current, n)
  c.used = max(0, c.used - n * c.size)
  c.current = c.current - of_current
  c.previous = max(0, c.previous - (n - of_current))
end

local function debit(c, n)
  if c.begin then
    c.current = min(c.current + n, top)
  else
    c.used = min(c.used + n * c.size, top)
  end
end

local function left(c)
  if not c.begin then return max(0, floor((c.most - c.used) / c.size)) end
  local product = c.previous * min(c.size, c.begin + c.size - now)
  local weighs = ceil(product / c.size)
  if product > top then weighs = weighs + 1 end
  return max(0, c.most - c.current - weighs)
end

local function write(c, key)
  local idle = idle_after(c)
  if idle == 0 then return c.there and redis.pcall('DEL', key) end
  local text
  if c.begin then
    text = string.format('windows %.0f %.0f %.0f', c.begin, c.current, c.previous)
  else
    text = string.format('bucket %.0f %.0f %s', now, c.used, c.unit)
  end
  return redis.pcall('SET', key, text, 'PX', ceil(idle / c.per_us / 1000) + spare)
end

local claims, all = {}, true
for i, key in ipairs(KEYS) do
  local kind, size, most, unit, need, want, back, debt, idle, current, previous, binds =
    unpack(ARGV, (i - 1) * 12 + 1, i * 12)
  size = tonumber(size)
  local text = redis.pcall('GET', key)
  local c = {size = size, most = tonumber(most), unit = unit, per_us = unit == 'ns' and 1000 or 1,
             need = max(1, tonumber(need)), want = tonumber(want), there = text ~= false, changed = false, left = 0,
             used = 0, current = 0, previous = 0, slides = kind == 'sliding',
             begin = kind ~= 'bucket' and floor(now / size) * size}
  claims[i] = c
  if type(text) == 'string' then read(c, text) end
  local was_used, was_current, was_previous = c.used, c.current, c.previous
  if idle ~= '0' then raise(c, tonumber(idle), tonumber(current), tonumber(previous)) end
  if back ~= '0' then credit(c, tonumber(back)) end
  if debt ~= '0' then debit(c, tonumber(debt)) end
  if c.used ~= was_used or c.current ~= was_current or c.previous ~= was_previous then c.changed = true end
  c.left = left(c)
  if binds == '1' and c.left < c.need then all = false end
end

local reply = {}
for i, c in ipairs(claims) do
  local granted = all and c.left >= c.need and min(c.want, c.left) or 0
  if granted > 0 then debit(c, granted) end
  if granted > 0 or c.changed then
    local done = write(c, KEYS[i])
    if type(done) == 'table' and done.err then
      -- Redis 6.2 hides the code behind where it happened.
      return redis.error_reply(string.match(done.err, 'READONLY.*') or done.err)
    end
  end
  local at = i * 4
  reply[at - 3], reply[at - 2], reply[at - 1], reply[at] = granted, idle_after(c), c.current, c.previous
end
return reply
)lua";

constexpr std::size_t numbers_of_a_grant = 4;

/// 73 years in microseconds, as quota.hpp has it: no bucket takes longer to fill, no window is longer.
constexpr std::uint64_t span_us_max = (std::uint64_t{1} << 61) / 1000;

constexpr std::uint64_t us_of(std::uint64_t ns) noexcept { return ns / 1000 + (ns % 1000 != 0 ? 1 : 0); }

/// What the script calls size, most and unit. Of a bucket: time in which a token comes back, and until all are back; of
/// windows: their length and quota.
struct Measures {
    std::uint64_t size;
    std::uint64_t most;
    bool in_ns;

    explicit Measures(const Quota& quota)
        : size(std::min(us_of(static_cast<std::uint64_t>(quota.window.count())), span_us_max)),
          most(std::min(quota.quota, exact_max - 1)),
          in_ns(false) {
        if (quota.algorithm != Algorithm::token_bucket) return;
        const auto emission = static_cast<std::uint64_t>(quota.emission().count());
        in_ns = !__builtin_mul_overflow(quota.burst, emission, &most) && most <= exact_max / 2;
        if (in_ns) {
            size = emission;
            return;
        }
        size = std::min(us_of(emission), exact_max);
        if (__builtin_mul_overflow(quota.burst, size, &most)) most = span_us_max;
        most = std::min(most, span_us_max);
    }

    std::uint64_t told(Duration time) const noexcept {
        const auto ns = static_cast<std::uint64_t>(std::max(time.count(), Duration::rep{0}));
        return std::min(in_ns ? ns : us_of(ns), exact_max);
    }
    Duration heard(std::int64_t time) const noexcept {
        return in_ns ? Duration(time) : Duration(std::chrono::microseconds(std::min(time, INT64_MAX / 1000)));
    }
};

std::string_view kind_of(Algorithm algorithm) noexcept {
    switch (algorithm) {
        case Algorithm::token_bucket: return "bucket";
        case Algorithm::fixed_window: return "fixed";
        case Algorithm::sliding_window: break;
    }
    return "sliding";
}

std::unexpected<Error> not_understood(const Reply& reply) {
    return std::unexpected(
        store_error(reply.is(Reply::Kind::error) ? reply.text : "a script answered in a form it never has"));
}

}  // namespace

const Script& quotas_script() {
    static const Script script(source);
    return script;
}

std::vector<std::string> quotas_arguments(std::span<const limit::Claim> claims) {
    std::vector<std::string> out;
    out.reserve(claims.size() * 12);
    const auto count = [&out](std::uint64_t n) { out.push_back(std::to_string(std::min(n, exact_max))); };
    for (const limit::Claim& claim : claims) {
        const Measures measures(claim.quota);
        out.emplace_back(kind_of(claim.quota.algorithm));
        count(measures.size);
        count(measures.most);
        out.emplace_back(measures.in_ns ? "ns" : "us");
        count(claim.need);
        count(std::max(claim.want, claim.need));
        count(claim.back);
        count(claim.debt);
        count(measures.told(claim.at_least.idle_after));
        count(claim.at_least.current);
        count(claim.at_least.previous);
        out.emplace_back(claim.binding ? "1" : "0");
    }
    return out;
}

Result<std::vector<limit::Grant>> parse_grants(std::span<const limit::Claim> claims, const Reply& reply) {
    if (!reply.is(Reply::Kind::array) || reply.elements.size() != claims.size() * numbers_of_a_grant)
        return not_understood(reply);
    for (const Reply& element : reply.elements)
        if (!element.is(Reply::Kind::integer) || element.integer < 0) return not_understood(element);
    std::vector<limit::Grant> grants;
    grants.reserve(claims.size());
    for (std::size_t i = 0; i < claims.size(); ++i) {
        const Reply* const numbers = &reply.elements[i * numbers_of_a_grant];
        const auto number = [&](std::size_t n) { return static_cast<std::uint64_t>(numbers[n].integer); };
        const Duration idle_after = Measures(claims[i].quota).heard(numbers[1].integer);
        grants.push_back({number(0), {idle_after, number(2), number(3)}});
    }
    return grants;
}

}  // namespace etage::redis
