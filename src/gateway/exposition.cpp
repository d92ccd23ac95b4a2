#include "gateway/exposition.hpp"

#include <etage/version.hpp>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

namespace etage::gateway {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

ClientMetric sample(MetricType type, double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    return metric;
}

MetricFamily single(std::string name, std::string help, MetricType type, double value, Labels labels = {}) {
    return {std::move(name), std::move(help), type, {sample(type, value, std::move(labels))}};
}

MetricFamily empty_counter(std::string name, std::string help) {
    return {std::move(name), std::move(help), MetricType::Counter, {}};
}

double number(std::uint64_t value) noexcept { return static_cast<double>(value); }

class Exposition : public prometheus::Collectable {
public:
    Exposition(const base::Metrics& metrics, const Snapshot& snapshot) : metrics_(metrics), now_(snapshot) {}

    std::vector<MetricFamily> Collect() const override {
        std::vector<MetricFamily> out;
        collect_counters(out);
        collect_given_up(out);
        out.push_back(forwards());
        out.push_back(details());
        collect_origins(out);
        collect_outbound(out);
        collect_gauges(out);
        return out;
    }

private:
    void collect_counters(std::vector<MetricFamily>& out) const {
        for (std::size_t i = 0; i < base::counter_count; ++i) {
            const auto counter = static_cast<base::Counter>(i);
            // The store counts its own evictions: it knows no metrics.
            const auto value = counter == base::Counter::evictions ? now_.memory.evictions : metrics_.sum(counter);
            out.push_back(single("etage_" + std::string(base::counter_name(counter)) + "_total",
                                 std::string(base::counter_help(counter)), MetricType::Counter, number(value)));
        }
    }

    void collect_given_up(std::vector<MetricFamily>& out) const {
        const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
            out.push_back(single(name, help, MetricType::Counter, number(value)));
        };
        counter("etage_log_lines_dropped_total", "Lines of log that found no room, or no disk",
                now_.given_up.log_lines);
        counter("etage_marks_forgotten_total", "Marks of invalidations for which there was no room",
                now_.given_up.marks);
        counter("etage_limit_clients_forgotten_total", "Clients of limits for whom there was no room",
                now_.given_up.limit_clients);
    }

    MetricFamily forwards() const {
        auto family = empty_counter("etage_forwards_total", "Requests that went forward, by reason (RFC 9211)");
        for (std::size_t i = 1; i < forward_count; ++i) {  // 0 is "none"
            const auto forward = static_cast<Forward>(i);
            family.metric.push_back(sample(MetricType::Counter, number(metrics_.sum(forward)),
                                           {{"forward", std::string(forward_name(forward))}}));
        }
        return family;
    }

    MetricFamily details() const {
        auto family = empty_counter("etage_details_total", "Answers by what Cache-Status says as detail");
        for (std::size_t i = 1; i < detail_count; ++i) {
            const auto detail = static_cast<Detail>(i);
            family.metric.push_back(sample(MetricType::Counter, number(metrics_.sum(detail)),
                                           {{"detail", std::string(detail_name(detail))}}));
        }
        return family;
    }

    void collect_origins(std::vector<MetricFamily>& out) const {
        auto calls = empty_counter("etage_origin_calls_total", "Calls to an origin");
        auto saved =
            empty_counter("etage_origin_calls_saved_total", "Requests that did not become a call to their origin");
        auto cost = empty_counter("etage_origin_cost_saved_total", "Cost of the calls saved");
        const std::size_t named = std::min(now_.origins.size(), base::metered_origins_max);
        for (std::size_t i = 0; i < named; ++i) {
            const OriginView& origin = now_.origins[i];
            // The last row is shared by all origins that have none of their own.
            const bool shared = i + 1 == base::metered_origins_max && now_.origins.size() > base::metered_origins_max;
            const ClientMetric::Label label{"origin", shared ? "others" : origin.name};
            calls.metric.push_back(sample(MetricType::Counter, number(metrics_.sum_origin_calls(i)), {label}));
            saved.metric.push_back(sample(MetricType::Counter, number(metrics_.sum_origin_saved(i)), {label}));
            if (shared || origin.cost_per_call == 0) continue;
            Labels labels{label};
            if (!origin.currency.empty()) labels.push_back({"currency", origin.currency});
            cost.metric.push_back(sample(MetricType::Counter, cost_saved(metrics_, i, origin), std::move(labels)));
        }
        for (auto* family : {&calls, &saved, &cost})
            if (!family->metric.empty()) out.push_back(std::move(*family));
    }

    /// Of origins with a budget, or with a bound on calls at once.
    void collect_outbound(std::vector<MetricFamily>& out) const {
        using enum MetricType;
        MetricFamily budget{"etage_origin_budget", "Calls in a budget", Gauge, {}};
        MetricFamily remaining{"etage_origin_budget_remaining", "Calls left of the budget", Gauge, {}};
        MetricFamily refused =
            empty_counter("etage_origin_budget_refused_total", "Calls not made: the budget was spent");
        MetricFamily at_once{"etage_origin_concurrency_limit", "Calls an origin may have at once", Gauge, {}};
        MetricFamily in_flight{"etage_origin_in_flight", "Calls an origin has", Gauge, {}};
        MetricFamily shed = empty_counter("etage_origin_shed_total", "Calls not made: the origin had enough");
        for (const OriginView& origin : now_.origins) {
            const Labels label{{"origin", origin.name}};
            if (origin.budget) {
                budget.metric.push_back(sample(Gauge, number(origin.budget->budget), label));
                remaining.metric.push_back(sample(Gauge, number(origin.budget->remaining), label));
                refused.metric.push_back(sample(Counter, number(origin.budget->refused), label));
            }
            if (origin.guard) {
                at_once.metric.push_back(sample(Gauge, number(origin.guard->limit), label));
                in_flight.metric.push_back(sample(Gauge, number(origin.guard->in_flight), label));
                shed.metric.push_back(sample(Counter, number(origin.guard->shed), label));
            }
        }
        for (auto* family : {&budget, &remaining, &refused, &at_once, &in_flight, &shed})
            if (!family->metric.empty()) out.push_back(std::move(*family));
    }

    void collect_gauges(std::vector<MetricFamily>& out) const {
        const auto gauge = [&](const char* name, const char* help, double value) {
            out.push_back(single(name, help, MetricType::Gauge, value));
        };
        gauge("etage_ready", "1 when serving", now_.ready ? 1 : 0);
        gauge("etage_degraded", "1 when something configured is away", now_.degraded.empty() ? 0 : 1);
        gauge("etage_uptime_seconds", "Time since the start", std::chrono::duration<double>(now_.uptime).count());
        gauge("etage_memory_bytes", "Bytes of the memory tier, overhead included", number(now_.memory.bytes));
        gauge("etage_memory_limit_bytes", "memory.limit", number(now_.memory_limit));
        gauge("etage_memory_shelves", "Keys in memory", number(now_.memory.shelves));
        gauge("etage_memory_entries", "Stored responses in memory, variants counted", number(now_.memory.entries));
        gauge("etage_coherence_position", "Position up to which the log of invalidations is applied",
              number(now_.position));
        gauge("etage_coherence_floor", "Entries with an older fence are gone", number(now_.floor));
        if (now_.shared) {
            const SharedView& shared = *now_.shared;
            gauge("etage_redis_up", "1 when Redis answers", shared.trouble.empty() ? 1 : 0);
            gauge("etage_instances_live", "Instances whose lease has not lapsed", number(shared.instances));
            gauge("etage_coherence_silence_seconds", "Since the log of invalidations was last heard",
                  std::chrono::duration<double>(shared.silence).count());
        }
        out.push_back(single("etage_build_info", "Always 1; the version is a label", MetricType::Gauge, 1,
                             {{"version", std::string(version)}}));
    }

    const base::Metrics& metrics_;
    const Snapshot& now_;
};

}  // namespace

std::string expose(const base::Metrics& metrics, const Snapshot& snapshot) {
    return prometheus::TextSerializer().Serialize(Exposition(metrics, snapshot).Collect());
}

double cost_saved(const base::Metrics& metrics, std::size_t origin, const OriginView& view) {
    return number(metrics.sum_origin_saved(origin)) * view.cost_per_call;
}

}  // namespace etage::gateway
