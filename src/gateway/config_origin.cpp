#include "gateway/config_origin.hpp"

#include "gateway/config_read.hpp"

#include <algorithm>

namespace etage::gateway {
namespace {

constexpr std::uint64_t calls_max = 1'000'000'000'000;  // per window: counted exactly far beyond
constexpr std::uint64_t at_once_max = 1'000'000;
constexpr Duration shortest_window = std::chrono::milliseconds(1);

bool is_currency(const std::string& text) {
    return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

void set_rate(Budget& budget, const Node& node, Problems& problems) {
    const auto text = read_text(node, problems);
    if (!text) return;
    const auto rate = parse_rate(*text);
    if (!rate) return problems.add(node, rate.error());
    if (rate->in_bytes) return problems.add(node, "a budget counts calls, not bytes; write it like \"1000/day\"");
    if (rate->quota > calls_max) return problems.add(node, "\"" + *text + "\" is no budget at all; leave it out");
    budget.calls = rate->quota;
    budget.window = rate->window;
}

constexpr Word<Budget::Algorithm> algorithms[] = {{"fixed_window", Budget::Algorithm::fixed_window},
                                                  {"sliding_window", Budget::Algorithm::sliding_window},
                                                  {"token_bucket", Budget::Algorithm::token_bucket}};

constexpr Key<Budget> budget_keys[] = {
    {"rate", set_rate},
    {"algorithm", [](Budget& b, const Node& n, Problems& p) { keep(b.algorithm, read_word(n, p, algorithms)); }},
    {"burst", [](Budget& b, const Node& n, Problems& p) { keep(b.burst, read_count(n, p, 1, calls_max)); }},
};

}  // namespace

void set_currency(OriginConfig& origin, const Node& node, Problems& problems) {
    const auto text = read_text(node, problems);
    if (!text) return;
    if (is_currency(*text))
        origin.calls.currency = *text;
    else
        problems.add(node, "\"" + *text + "\" is no currency; write its three letters, like \"EUR\"");
}

void set_budget(OriginConfig& origin, const Node& node, Problems& problems) {
    Budget budget;
    const auto before = problems.lines().size();
    if (std::holds_alternative<Node::Table>(node.value))
        read_table(budget, node, problems, budget_keys);
    else
        set_rate(budget, node, problems);
    if (problems.lines().size() != before) return;
    if (budget.calls == 0)
        problems.add(node, "a budget needs a rate, like { rate = \"1000/day\" }");
    else
        origin.calls.budget = budget;
}

void set_concurrency(OriginConfig& origin, const Node& node, Problems& problems) {
    Concurrency& concurrency = origin.calls.concurrency;
    const auto* text = std::get_if<std::string>(&node.value);
    const bool is_number =
        text == nullptr || (node.untyped && !text->empty() && text->front() >= '0' && text->front() <= '9');
    if (!is_number) {
        static constexpr Word<Concurrency::Mode> words[] = {{"adaptive", Concurrency::Mode::adaptive},
                                                            {"off", Concurrency::Mode::off},
                                                            {"NUMBER", Concurrency::Mode::fixed}};
        const auto mode = read_word(node, problems, words);
        if (mode == Concurrency::Mode::fixed)
            problems.add(node, "put a real number in place of NUMBER, like concurrency = 20");
        else
            keep(concurrency.mode, mode);
    } else if (const auto count = read_count(node, problems, 1, at_once_max)) {
        concurrency.mode = Concurrency::Mode::fixed;
        concurrency.max = static_cast<std::size_t>(*count);
    }
}

std::optional<Mistake> mistake_in(const OriginOptions& options) {
    const Budget& budget = options.budget;
    const Concurrency& concurrency = options.concurrency;
    if (!(options.cost_per_call >= 0)) return Mistake{"cost_per_call", "a call does not cost less than nothing"};
    if (!options.currency.empty() && !is_currency(options.currency))
        return Mistake{"currency",
                       "\"" + options.currency + "\" is no currency; write its three letters, like \"EUR\""};
    if (budget.calls > calls_max) return Mistake{"budget", "so many calls are no budget at all; leave it out"};
    if (budget.calls > 0 && budget.window < shortest_window)
        return Mistake{"budget", "its window must be at least 1 ms"};
    if (budget.algorithm == Budget::Algorithm::concurrency)
        return Mistake{"budget", "calls at once are no budget; see concurrency"};
    if (budget.burst > 0 && budget.algorithm != Budget::Algorithm::token_bucket)
        return Mistake{"budget", "burst is of the token bucket; a window lets in its whole rate at once"};
    if (concurrency.mode != Concurrency::Mode::off && (concurrency.max == 0 || concurrency.max > at_once_max))
        return Mistake{"concurrency", "must be between 1 and " + std::to_string(at_once_max)};
    if (concurrency.queue_time_max < Duration::zero()) return Mistake{"queue_time_max", "must not be negative"};
    return std::nullopt;
}

std::optional<Mistake> settle(OriginConfig& origin) {
    Concurrency& concurrency = origin.calls.concurrency;
    concurrency.queue_time_max = origin.queue_time_max;
    if (concurrency.mode == Concurrency::Mode::adaptive)
        concurrency.max = origin.concurrency_max.value_or(Concurrency{}.max);
    else if (concurrency.mode == Concurrency::Mode::fixed && origin.concurrency_max)
        return Mistake{"concurrency_max", "is the ceiling of concurrency = \"adaptive\"; a number is one itself"};
    return mistake_in(origin.calls);
}

}  // namespace etage::gateway
