#include "redis/log_scripts.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace etage::redis {

namespace {

// A key that holds something else than it should is as good as none.
#define ETAGE_LUA_WORDS                                                                                                \
    "local function field(section, name)\n"                                                                            \
    "  return string.match(redis.call('INFO', section), name .. ':(%w+)') or ''\n"                                     \
    "end\n"                                                                                                            \
    "local function holds(key, kind) return redis.call('TYPE', key).ok == kind end\n"                                  \
    "local function generation(key) return holds(key, 'string') and redis.call('GET', key) or '' end\n"                \
    "local function identity() return field('server', 'run_id') .. ':' .. field('replication', 'master_replid') end\n" \
    "local function now()\n"                                                                                           \
    "  local time = redis.call('TIME')\n"                                                                              \
    "  return time[1] * 1000 + math.floor(time[2] / 1000)\n"                                                           \
    "end\n"                                                                                                            \
    "local function since(key) return tonumber(redis.call('HGET', key, 'since') or '') end\n"

constexpr std::string_view look_source = ETAGE_LUA_WORDS R"lua(
local seen = {generation(KEYS[2]), identity(), field('replication', 'role'), redis.call('TYPE', KEYS[1]).ok,
              '0-0', '0-0', 0, now(), 0, '0-0'}
if seen[4] ~= 'stream' then return seen end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if first then seen[5] = first[1] end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if newest then seen[10] = newest[1] end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then seen[6] = info[i + 1] end
end
seen[7] = redis.call('XLEN', KEYS[1])
seen[9] = #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
return seen
)lua";

constexpr std::string_view begin_source = ETAGE_LUA_WORDS R"lua(
if generation(KEYS[2]) ~= ARGV[1] then return 0 end
if ARGV[6] == '1' then redis.call('DEL', KEYS[1]) end
local done = redis.pcall('XADD', KEYS[1], ARGV[3], ARGV[4], '1', 'by', ARGV[5])
if type(done) == 'table' and done.err then return done end
redis.call('SET', KEYS[2], ARGV[2] .. ' ' .. identity() .. ' ' .. string.format('%.0f', now()) .. ' ' .. ARGV[3])
return 1
)lua";

constexpr std::string_view beat_source = ETAGE_LUA_WORDS R"lua(
if not holds(KEYS[1], 'hash') then redis.call('DEL', KEYS[1]) end
local moment = now()
local known = since(KEYS[1])
if not known or known > moment then redis.call('HSET', KEYS[1], 'since', string.format('%.0f', moment)) end
local lapses = string.format('%.0f', moment + ARGV[3])
return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. lapses)
)lua";

constexpr std::string_view census_source = ETAGE_LUA_WORDS R"lua(
local moment = now()
local out = {generation(KEYS[2]), identity(), moment, moment}
if not holds(KEYS[1], 'hash') then return out end
out[4] = since(KEYS[1]) or moment
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local applied, lapses = string.match(all[i + 1], '^(%d+) (%d+)$')
  lapses = tonumber(lapses or 0)
  if lapses > moment then
    out[#out + 1] = all[i]
    out[#out + 1] = applied
  elseif all[i] ~= 'since' and lapses + 60000 < moment then
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return out
)lua";

// A server that has just been promoted has the generation of its predecessor, but is another one.
constexpr std::string_view append_source = ETAGE_LUA_WORDS R"lua(
local now = generation(KEYS[2])
local is_same = now == ARGV[1] and string.find(now, ' ' .. identity() .. ' ', 1, true)
if not is_same or not holds(KEYS[1], 'stream') then
  return redis.error_reply('HISTORY the log begins a new history')
end
return redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 3))
)lua";

#undef ETAGE_LUA_WORDS

Command eval(const Script& script, const std::string& slot, std::vector<std::string> keys,
             std::vector<std::string> arguments) {
    std::vector<std::string> words{"EVAL", std::string(script.source()), std::to_string(keys.size())};
    for (auto* list : {&keys, &arguments})
        for (std::string& word : *list) words.push_back(std::move(word));
    return {slot, words};
}

std::unexpected<Error> not_understood(const Reply& reply) {
    const std::string what = reply.is(Reply::Kind::error) ? reply.text : "a script answered in a form it never has";
    return failure(Blame::remote_store, Fault::internal, what, true);
}

std::optional<std::uint64_t> number(const Reply& reply) {
    if (reply.is(Reply::Kind::integer) && reply.integer >= 0) return static_cast<std::uint64_t>(reply.integer);
    std::uint64_t value = 0;
    const char* const end = reply.text.data() + reply.text.size();
    const auto [stopped, error] = std::from_chars(reply.text.data(), end, value);
    if (error != std::errc() || stopped != end) return std::nullopt;
    return value;
}

}  // namespace

const Script& look_script() {
    static const Script script(look_source);
    return script;
}
const Script& begin_script() {
    static const Script script(begin_source);
    return script;
}
const Script& beat_script() {
    static const Script script(beat_source);
    return script;
}
const Script& census_script() {
    static const Script script(census_source);
    return script;
}

Command look_command(const LogNames& names, coherence::StreamId read) {
    return eval(look_script(), names.log, {names.log, names.generation}, {read.text()});
}

Result<Look> parse_look(const Reply& reply) {
    if (!reply.is(Reply::Kind::array) || reply.elements.size() != 10) return not_understood(reply);
    const auto& e = reply.elements;
    const auto first = coherence::parse_stream_id(e[4].text);
    const auto last = coherence::parse_stream_id(e[5].text);
    const auto newest = coherence::parse_stream_id(e[9].text);
    const auto length = number(e[6]);
    const auto clock = number(e[7]);
    if (!first || !newest || !last || !length || !clock) return not_understood(reply);
    Look look;
    // A key that is not there is an empty log.
    look.seen = {
        e[0].text, e[1].text, e[3].text == "stream" || e[3].text == "none", e[8].integer == 1, *first, *newest, *last,
        *length,   *clock};
    look.is_primary = e[2].text == "master";
    return look;
}

Command begin_command(const LogNames& names, const coherence::SeenLog& seen, const coherence::Continuity& next,
                      std::string_view random, std::string_view instance) {
    const bool rebuild = next.step == coherence::Continuity::Step::rebuild;
    const bool is_first = seen.generation.empty() && seen.length == 0;
    return eval(begin_script(), names.log, {names.log, names.generation},
                {seen.generation, std::string(random), next.id.text(), is_first ? "genesis" : "ratchet",
                 std::string(instance), rebuild ? "1" : "0"});
}

Command beat_command(const LogNames& names, std::string_view instance, Sequence applied, Duration lease) {
    const auto ms = lives_for(lease).count();
    return eval(beat_script(), names.log, {names.live},
                {std::string(instance), std::to_string(applied), std::to_string(ms)});
}

Command census_command(const LogNames& names) {
    return eval(census_script(), names.log, {names.live, names.generation}, {});
}

Result<Census> parse_census(const Reply& reply) {
    if (!reply.is(Reply::Kind::array) || reply.elements.size() < 4) return not_understood(reply);
    const auto& e = reply.elements;
    Census census;
    const auto generation = coherence::Generation::parse(e[0].text);
    const auto clock = number(e[2]);
    const auto since = number(e[3]);
    if (!clock || !since) return not_understood(reply);
    census.clock_ms = static_cast<std::int64_t>(*clock);
    if (generation && generation->identity == e[1].text)
        census.known_ms = census.clock_ms - static_cast<std::int64_t>(std::max(generation->made_at_ms, *since));
    for (std::size_t i = 4; i + 1 < e.size(); i += 2)
        if (const auto applied = number(e[i + 1])) census.members.push_back({e[i].text, *applied});
    return census;
}

Command leave_command(const LogNames& names, std::string_view instance) {
    return {names.log, {"HDEL", names.live, instance}};
}

const Script& append_script() {
    static const Script script(append_source);
    return script;
}

std::vector<std::string> append_keys(const LogNames& names) { return {names.log, names.generation}; }

std::vector<std::string> append_arguments(std::string_view generation, std::uint64_t records_max,
                                          std::vector<std::string> fields) {
    std::vector<std::string> out{std::string(generation), std::to_string(records_max)};
    out.insert(out.end(), std::make_move_iterator(fields.begin()), std::make_move_iterator(fields.end()));
    return out;
}

Command step_command(const LogNames& names, coherence::StreamId id, std::string_view instance) {
    return {names.log,
            std::vector<std::string>{"XADD", names.log, id.text(), "step", "1", "by", std::string(instance)}};
}

}  // namespace etage::redis
