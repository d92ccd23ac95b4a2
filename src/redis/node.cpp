#include "redis/node.hpp"

#include "redis/link.hpp"

#include "base/clock.hpp"
#include "base/hash.hpp"

#include <asio/execution/context.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>

#include <algorithm>

namespace etage::redis {

namespace {

std::string name_of(const Common& common, const std::optional<Address>& address, Wanted wanted) {
    return (wanted == Wanted::sentinel ? "Sentinel at " : "Redis at ") +
           (address ? text_of(*address) : common.options.url.socket_path);
}

Breaker::Options breaker_options(const Options& options) {
    return {.failures_max = std::max<std::uint32_t>(options.failures_max, 1),
            .retry_first = options.retry_first,
            .retry_max = options.retry_max,
            .probe_time_max = options.connect_timeout + options.answer_timeout + std::chrono::seconds(1)};
}

}  // namespace

Node::Node(std::shared_ptr<const Common> common, std::optional<Address> address, Wanted wanted)
    : common_(std::move(common)),
      address_(std::move(address)),
      wanted_(wanted),
      name_(name_of(*common_, address_, wanted)),
      breaker_(breaker_options(common_->options), base::hash64(name_, common_->seed)) {
    if (address_) resolver_.emplace(address_->host, std::to_string(address_->port));
}

std::shared_ptr<Link> Node::link(const asio::any_io_executor& executor) {
    asio::execution_context* const context = &asio::query(executor, asio::execution::context);
    const std::lock_guard lock(mutex_);
    const auto known = std::ranges::find(links_, context, [](const auto& entry) { return entry.first; });
    if (known != links_.end()) return known->second;
    return links_.emplace_back(context, std::make_shared<Link>(shared_from_this(), executor)).second;
}

std::string Node::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
}

void Node::set_trouble(std::string what) {
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(what);
}

void Node::failed(Instant now, std::string what, const asio::any_io_executor& executor) {
    if (breaker_.failed(now)) {
        common_->metrics.add(base::Counter::redis_breaker_opens);
        common_->log.warn("redis away", {{"what", what}});
    }
    set_trouble(std::move(what));
    if (told_) told_(executor);
}

void Node::retire() {
    const std::lock_guard lock(mutex_);
    for (auto& [context, link] : links_) {
        const auto executor = link->executor();
        asio::post(executor, [l = std::move(link)] { l->close(); });
    }
    links_.clear();
}

void Node::let_go() noexcept {
    const std::lock_guard lock(mutex_);
    for (auto& [context, link] : links_) link->close();
    links_.clear();
}

}  // namespace etage::redis
