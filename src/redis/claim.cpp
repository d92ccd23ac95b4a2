#include "redis/claim.hpp"

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "net/timer.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <charconv>

namespace etage::redis {

namespace {

constexpr Duration call_time_max = std::chrono::milliseconds(200);

/// Only one's own: it may have lapsed, and be somebody else's by now.
const Script& renew_script() {
    static const Script script(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0");
    return script;
}
const Script& release_script() {
    static const Script script(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0");
    return script;
}
const Script& abandon_script() {
    static const Script script(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end "
        "return 0");
    return script;
}

std::uint64_t next_number() {
    static const std::uint64_t seed = base::random_seed();
    static std::atomic<std::uint64_t> number{0};
    return seed + number.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

std::string ClaimText::make(Sequence fence) { return std::to_string(fence) + " " + std::to_string(next_number()); }

std::optional<ClaimText> ClaimText::parse(std::string_view text) {
    ClaimText out;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.fence);
    if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') return std::nullopt;
    return out;
}

struct Claim::State : std::enable_shared_from_this<State> {
    State(const asio::any_io_executor& executor, Client& c, std::string n, std::string t, Duration l)
        : client(c), name(std::move(n)), text(std::move(t)), lasts(l), timer(executor) {}

    asio::awaitable<void> hold() {
        const std::vector<std::string> keys{name};
        const std::vector<std::string> renewal{
            text, std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(lasts).count())};
        for (;;) {
            timer.expires_after(lasts / 3);
            co_await timer.async_wait(net::quietly);
            if (done) break;
            co_await client.run(renew_script(), keys, renewal, base::read_clock().mono + call_time_max);
        }
        const Instant deadline = base::read_clock().mono + call_time_max;
        if (abandoned) {
            const std::vector<std::string> mark{text, std::string(ClaimText::abandoned), renewal[1]};
            co_await client.run(abandon_script(), keys, mark, deadline);
        } else {
            const std::vector<std::string> own{text};
            co_await client.run(release_script(), keys, own, deadline);
        }
    }

    Client& client;
    const std::string name;
    const std::string text;
    const Duration lasts;
    net::Timer timer;
    bool done = false;  // on the executor
    std::atomic<bool> abandoned{false};
};

Claim::Claim(const asio::any_io_executor& executor, Client& client, std::string name, std::string text, Duration lasts)
    : state_(std::make_shared<State>(executor, client, std::move(name), std::move(text), lasts)) {
    asio::co_spawn(executor, [state = state_] { return state->hold(); }, asio::detached);
}

void Claim::abandon() noexcept { state_->abandoned.store(true, std::memory_order_relaxed); }

/// From any thread: a plan may die on a compressor's.
Claim::~Claim() {
    asio::post(state_->timer.get_executor(), [state = state_] {
        state->done = true;
        state->timer.cancel();
    });
}

}  // namespace etage::redis
