// A reload: another configuration takes the place of the one that runs, while requests go on.
//
// Interleavings that bite · A request that began before the change ends with the furniture that it began with, and may
// store what that allows: its entry carries the revision of its route, so another one's rules never serve it. A flight
// that began before may be joined after: its answer is as old as the join allows, whatever route it was asked for.

#include "gateway/compose.hpp"
#include "gateway/config_change.hpp"

#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>

namespace etage::gateway {

namespace {

std::unexpected<Problems> refused(std::string_view why) {
    Problems problems;
    problems.add("", why);
    return std::unexpected(std::move(problems));
}

}  // namespace

std::expected<Applied, Problems> Building::apply_again() {
    const std::lock_guard one_at_a_time(reloading_);
    auto applied = !again_ ? refused("this Etage is part of a program, which has read it once")
                   : ready_.load(std::memory_order_acquire) ? plan_and_place()
                                                            : refused("not serving yet, or not any more");
    if (applied) {
        metrics_.add(base::Counter::reloads);
        log_.info("configuration applied", {{"routes", static_cast<std::int64_t>(applied->routes)},
                                            {"limits", static_cast<std::int64_t>(applied->limits)},
                                            {"origins", static_cast<std::int64_t>(applied->origins)}});
    } else {
        metrics_.add(base::Counter::reloads_refused);
        for (const std::string& line : applied.error().lines())
            log_.error("configuration not applied", {{"why", line}});
    }
    return applied;
}

/// Whatever can fail does so before anything has changed.
std::expected<Applied, Problems> Building::plan_and_place() {
    auto plan = again_();
    if (!plan) return std::unexpected(std::move(plan.error()));
    if (auto fixed = what_takes_a_restart(config_, plan->config); !fixed.empty())
        return std::unexpected(std::move(fixed));
    const auto before = furniture();
    auto made = Furniture::make(std::move(*plan), fixtures(), before.get());
    if (!made) return refused(made.error().what);
    const Config& config = (*made)->config();
    const Applied applied{config.routes.size(), config.limits.size(), config.origins.size()};
    log_.set_level(config.log.level);
    server_->adopt(server_options(config));
    admin_->change(make_admin(config));
    clients_->change(service_of(*made));
    const std::lock_guard lock(furniture_mutex_);
    std::erase_if(replaced_, [](const auto& each) { return each.expired(); });
    replaced_.push_back(before);
    furniture_ = std::move(*made);
    return applied;
}

asio::awaitable<std::expected<Applied, Problems>> Building::reload() {
    co_return co_await asio::co_spawn(  // files are read: not on an event loop
        compressors_, [this]() -> asio::awaitable<std::expected<Applied, Problems>> { co_return apply_again(); },
        asio::use_awaitable);
}

}  // namespace etage::gateway
