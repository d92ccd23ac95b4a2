// A building in a process of its own: from its opening to the signal that ends it.

#include "gateway/compose.hpp"

#include <asio/signal_set.hpp>

#include <csignal>
#include <cstdio>
#include <thread>
#include <utility>

namespace etage::gateway {

namespace {

/// Until the set is cancelled. Once it is waited for, the signal ends the process no more.
void wait_for_hangup(asio::signal_set& hangup, Building& building) {
    hangup.async_wait([&](const asio::error_code& cancelled, int) {
        if (cancelled) return;
        (void)building.apply_again();  // what became of it stands in the log
        wait_for_hangup(hangup, building);
    });
}

}  // namespace

int run_until_signal(Building& building, asio::io_context& waiting, const std::function<void()>& opened) {
    asio::signal_set hangup(waiting);
    if (building.can_apply_again()) {
        hangup.add(SIGHUP);
        wait_for_hangup(hangup, building);
    }
    asio::signal_set signals(waiting, SIGTERM, SIGINT);
    signals.async_wait([&](const asio::error_code&, int) { hangup.cancel(); });
    if (const auto open = building.open(); !open) {
        std::fprintf(stderr, "etage: %s\n", open.error().what.c_str());
        return 1;
    }
    opened();
    waiting.run();
    building.log().info("draining");
    signals.async_wait([](const asio::error_code& error, int) {  // a second signal: at once
        if (!error) std::_Exit(1);
    });
    waiting.restart();
    std::thread impatient([&] { waiting.run(); });
    const bool finished = building.close();
    signals.cancel();
    impatient.join();
    if (!finished) building.log().warn("stopped before everything was finished: the grace ran out");
    return finished ? 0 : 1;
}

int run(Config config, std::function<std::expected<Config, Problems>()> again) {
    auto building =
        Building::build(gateway_plan(std::move(config)), [again = std::move(again)]() -> std::expected<Plan, Problems> {
            auto read = again();
            if (!read) return std::unexpected(std::move(read.error()));
            return gateway_plan(*std::move(read));
        });
    if (!building) {
        std::fprintf(stderr, "etage: %s\n", building.error().what.c_str());
        return 1;
    }
    asio::io_context waiting;
    return run_until_signal(**building, waiting, [] {});
}

}  // namespace etage::gateway
