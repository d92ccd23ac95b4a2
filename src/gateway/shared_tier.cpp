#include "gateway/shared_tier.hpp"

#include "base/clock.hpp"

#include <thread>

namespace etage::gateway {

namespace {

redis::Options options_of(const RedisConfig& config) {
    redis::Options out;
    out.url = *config.url;
    if (!config.password.empty()) out.url.password = config.password;
    out.answer_timeout = config.budget;
    out.tls_ca = config.tls_ca;
    out.tls_certificate = config.tls_certificate;
    out.tls_key = config.tls_key;
    return out;
}

redis::LogOptions options_of(const RedisConfig& config, const CoherenceConfig& coherence) {
    redis::LogOptions out;
    out.name_space = config.name_space;
    out.lease = coherence.lease;
    out.strict = coherence.mode == CoherenceConfig::Mode::strict;
    out.blind_max = coherence.blind_max;
    out.settle = coherence.settle;
    return out;
}

}  // namespace

Result<std::unique_ptr<SharedTier>> SharedTier::make(const RedisConfig& config, const CoherenceConfig& coherence,
                                                     Context context) {
    auto client = redis::make_client(options_of(config), context.metrics, context.log);
    if (!client) return std::unexpected(std::move(client.error()));
    std::unique_ptr<SharedTier> tier(new SharedTier);
    tier->client_ = std::move(*client);
    tier->log_ = std::make_unique<redis::RedisLog>(*tier->client_, context.engine, context.metrics, context.log,
                                                   std::move(context.tags_of), std::move(context.examine),
                                                   options_of(config, coherence));
    redis::EntryLimits limits;
    limits.value_bytes_max = config.entry_max;
    tier->entries_ =
        std::make_unique<redis::EntryStore>(*tier->client_, context.engine, tier->log_->clock(), config.name_space,
                                            tier->log_->generation(), context.metrics, limits);
    tier->quotas_ = std::make_unique<redis::RedisQuotas>(*tier->client_, config.name_space,
                                                         [&log = *tier->log_] { return log.view().live; });
    tier->seats_ = std::make_unique<redis::RedisSeats>(*tier->client_, config.name_space, redis::random_name());
    return tier;
}

std::string SharedTier::open(bool insist) {
    log_->start();
    const Instant give_up = base::read_clock().mono + attach_time_max;
    for (;;) {
        const redis::LogView view = log_->view();
        if (view.attached) return {};
        if (base::read_clock().mono >= give_up || (!insist && !view.trouble.empty())) return trouble();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void SharedTier::close() noexcept {
    log_->stop();
    client_->let_go();
}

std::string SharedTier::trouble() const {
    const redis::LogView view = log_->view();
    if (!view.attached) return view.trouble.empty() ? "the log of invalidations has not been read yet" : view.trouble;
    return client_->trouble();
}

}  // namespace etage::gateway
