#include "redis/directory.hpp"

#include "redis/link.hpp"
#include "redis/words.hpp"

#include "base/clock.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <exception>
#include <utility>

namespace etage::redis {

FixedDirectory::FixedDirectory(std::shared_ptr<const Common> common)
    : node_([&] {
          const auto& addresses = common->options.url.addresses;
          const auto address = addresses.empty() ? std::nullopt : std::optional(addresses.front());
          return std::make_shared<Node>(common, address);
      }()) {}

/// True when the caller is to ask. An asker whose io_context went away is not waited for for ever.
bool AskingDirectory::begin(Instant now) {
    const std::lock_guard lock(mutex_);
    const Duration lost = std::chrono::seconds(10);
    if (asked_ != Instant::min() && now - asked_ < (asking_ ? lost : interval_)) return false;
    asking_ = true;
    asked_ = now;
    return true;
}

asio::awaitable<void> AskingDirectory::run(std::shared_ptr<AskingDirectory> self) {
    Result<void> outcome;
    try {
        outcome = co_await self->ask();
    } catch (const std::exception& e) {  // no memory, no threads: whoever waits must learn it
        outcome = std::unexpected(store_error(std::string("Redis: ") + e.what()));
    }
    {
        const std::lock_guard lock(self->mutex_);
        self->asking_ = false;
        ++self->answers_;
        self->outcome_ = std::move(outcome);
    }
    self->ended_.notify_all();
}

void AskingDirectory::doubt(const asio::any_io_executor& executor) {
    if (!begin(base::TimerClock::now())) return;
    auto self = shared_from_this();
    asio::co_spawn(executor, run(std::move(self)), asio::detached);
}

asio::awaitable<Result<void>> AskingDirectory::look_up(Instant deadline) {
    const auto self = shared_from_this();
    std::uint64_t before = 0;
    {
        const std::lock_guard lock(mutex_);
        before = answers_;
    }
    const auto executor = co_await asio::this_coro::executor;
    doubt(executor);
    {
        const std::lock_guard lock(mutex_);
        if (!asking_) co_return outcome_;  // asked a moment ago
    }
    const bool ended = co_await ended_.wait_until(deadline, [this, before] {
        const std::lock_guard lock(mutex_);
        return answers_ > before;
    });
    if (!ended)
        co_return std::unexpected(store_error(common_->options.url.text() + ": no answer in time to where it is"));
    const std::lock_guard lock(mutex_);
    co_return outcome_;
}

std::string AskingDirectory::trouble() const {
    const std::lock_guard lock(mutex_);
    return outcome_ ? "" : outcome_.error().what;
}

asio::awaitable<Result<Reply>> AskingDirectory::ask(std::shared_ptr<Node> node, Command question) {
    const Instant deadline = base::TimerClock::now() + common_->options.connect_timeout;
    auto asked = node;
    const auto pipeline = co_await open_pipeline(std::move(asked), deadline);
    if (!pipeline) co_return std::unexpected(pipeline.error());
    const std::string& password = common_->options.url.password;
    Reply reply;
    for (const bool again : {false, true}) {
        Exchange exchange({&question, 1}, {&reply, 1}, deadline);
        co_await exchange.wait(**pipeline);
        if (exchange.error()) co_return std::unexpected(std::move(*exchange.error()));
        if (again || password.empty() || !reply.is_error("NOAUTH")) break;
        // Only a Sentinel: it was not told before, because most have no password.
        const std::string& user = common_->options.url.user;
        const Command auth = user.empty() ? Command("", {"AUTH", password}) : Command("", {"AUTH", user, password});
        Reply ignored;  // the question is asked again; what it says then counts
        Exchange authentication({&auth, 1}, {&ignored, 1}, deadline);
        co_await authentication.wait(**pipeline);
    }
    (*pipeline)->close();
    if (reply.is(Reply::Kind::error)) co_return std::unexpected(store_error(node->name() + ": " + reply.text));
    co_return reply;
}

}  // namespace etage::redis
