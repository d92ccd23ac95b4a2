#include "redis/seats.hpp"

#include "redis/quotas_script.hpp"
#include "redis/words.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace etage::redis {

namespace {

constexpr std::chrono::milliseconds lapses_after = std::chrono::seconds(3);

// ARGV: instance, wanted, in flight, max, lapses after. What lapses later than anything can was written before the
// clock was set back. A key that holds something else than it should is as good as none.
constexpr std::string_view source = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kind = redis.call('TYPE', KEYS[1]).ok
local others = 0
local trouble
local function write(...)
  local done = redis.pcall(...)
  if type(done) == 'table' and done.err then trouble = done.err end
end
if kind == 'hash' then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local seats, lapses = string.match(all[i + 1], '^(%d+) (%d+)$')
    lapses = tonumber(lapses or 0)
    if all[i] ~= ARGV[1] then
      if lapses <= now then
        write('HDEL', KEYS[1], all[i])
      else
        others = others + seats
        if lapses > now + ARGV[5] then
          write('HSET', KEYS[1], all[i], seats .. ' ' .. string.format('%.0f', now + ARGV[5]))
        end
      end
    end
  end
elseif kind ~= 'none' then
  write('DEL', KEYS[1])
end
local held = math.min(tonumber(ARGV[2]), math.max(0, ARGV[4] - others))
local counted = math.max(held, tonumber(ARGV[3]))
if counted > 0 then
  local value = string.format('%.0f %.0f', counted, now + ARGV[5])
  write('HSET', KEYS[1], ARGV[1], value)
  write('PEXPIRE', KEYS[1], ARGV[5] + 1000)
elseif kind == 'hash' then
  write('HDEL', KEYS[1], ARGV[1])
end
-- Redis 6.2 hides the code behind where it happened.
if trouble then return redis.error_reply(string.match(trouble, 'READONLY.*') or trouble) end
return held
)lua";

const Script& seats_script() {
    static const Script script(source);
    return script;
}

std::string told(std::uint64_t seats) { return std::to_string(std::min(seats, exact_max)); }

}  // namespace

RedisSeats::RedisSeats(Client& client, const std::string& name_space, std::string instance)
    : client_(client), prefix_("{" + name_space + ":limits}:seats:"), instance_(std::move(instance)) {}

asio::awaitable<Result<std::uint64_t>> RedisSeats::hold(std::string_view name, Wish wish, Instant deadline) {
    const std::vector<std::string> keys{prefix_ + std::string(name)};
    const std::vector<std::string> arguments{instance_, told(wish.wanted), told(wish.in_flight), told(wish.max),
                                             std::to_string(lapses_after.count())};
    const auto reply = co_await client_.run(seats_script(), keys, arguments, deadline);
    if (!reply) co_return std::unexpected(reply.error());
    if (reply->is(Reply::Kind::integer) && reply->integer >= 0) co_return static_cast<std::uint64_t>(reply->integer);
    co_return std::unexpected(
        store_error(reply->is(Reply::Kind::error) ? reply->text : "a script answered in a form it never has"));
}

}  // namespace etage::redis
