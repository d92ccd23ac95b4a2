#include "origin/upstream_endpoints.hpp"

#include <utility>

namespace etage::origin {

namespace {

std::int64_t ns(Instant t) noexcept { return t.time_since_epoch().count(); }

}  // namespace

UpstreamEndpoint::UpstreamEndpoint(http::Endpoint url, std::size_t index)
    : index_(index),
      name_(url.scheme + "://" + url.authority()),
      authority_(url.authority()),
      resolver_(url.host, url.port) {}

bool UpstreamEndpoint::available(Instant now) const noexcept {
    return ns(now) >= passed_over_until_.load(std::memory_order_relaxed);
}

void UpstreamEndpoint::failed(Instant now, Duration back_off) noexcept {
    passed_over_until_.store(ns(now + back_off), std::memory_order_relaxed);
}

void UpstreamEndpoint::succeeded() noexcept {
    if (passed_over_until_.load(std::memory_order_relaxed) != well)
        passed_over_until_.store(well, std::memory_order_relaxed);
}

void UpstreamEndpoint::probe(Instant now, Duration back_off) noexcept {
    if (passed_over_until_.load(std::memory_order_relaxed) != well) failed(now, back_off);
}

InFlight::InFlight(std::shared_ptr<UpstreamEndpoint> endpoint) noexcept : endpoint_(std::move(endpoint)) {
    endpoint_->in_flight_.fetch_add(1, std::memory_order_relaxed);
}

InFlight::~InFlight() {
    if (endpoint_) endpoint_->in_flight_.fetch_sub(1, std::memory_order_relaxed);
}

UpstreamEndpoints::UpstreamEndpoints(const std::vector<http::Endpoint>& urls) {
    for (const http::Endpoint& url : urls)
        endpoints_.push_back(std::make_shared<UpstreamEndpoint>(url, endpoints_.size()));
}

std::shared_ptr<UpstreamEndpoint> UpstreamEndpoints::choose(Instant now, Duration back_off, Tried tried) {
    const std::size_t turn = turn_.fetch_add(1, std::memory_order_relaxed);
    const std::shared_ptr<UpstreamEndpoint>* best = nullptr;
    bool best_available = false;
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
        const auto& candidate = endpoints_[(turn + i) % endpoints_.size()];
        if ((tried >> candidate->index() & 1U) != 0) continue;
        const bool available = candidate->available(now);
        const bool better = best == nullptr || (available && !best_available) ||
                            (available == best_available && candidate->in_flight() < (*best)->in_flight());
        if (!better) continue;
        best = &candidate;
        best_available = available;
    }
    if (best == nullptr) return nullptr;
    (*best)->probe(now, back_off);
    return *best;
}

}  // namespace etage::origin
