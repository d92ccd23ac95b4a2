// Step 2 for those who cannot be decided at once: limits that only Redis knows, limits on misses alone; what clients
// are told of their limits, and what an answer costs.

#include "base/clock.hpp"
#include "flow/cache_status.hpp"
#include "flow/gate_fields.hpp"
#include "flow/present.hpp"
#include "flow/walk.hpp"

#include <charconv>
#include <utility>

namespace etage::flow {

namespace {

/// Counts what leaves, and charges for it when it ends, however it ends.
class MeteredBody final : public net::BodySource {
public:
    MeteredBody(Gate& gate, std::vector<Ticket> tickets, std::shared_ptr<net::BodySource> body)
        : gate_(gate), tickets_(std::move(tickets)), body_(std::move(body)) {}
    ~MeteredBody() override {
        const Now now = base::read_clock();
        for (const Ticket& ticket : tickets_) gate_.charge(ticket, sent_, now);
    }
    MeteredBody(const MeteredBody&) = delete;
    MeteredBody& operator=(const MeteredBody&) = delete;

    asio::awaitable<Result<std::string_view>> read() override {
        auto piece = co_await body_->read();
        if (piece) sent_ += piece->size();
        co_return piece;
    }
    void cancel() noexcept override { body_->cancel(); }

private:
    Gate& gate_;
    std::vector<Ticket> tickets_;
    std::shared_ptr<net::BodySource> body_;
    std::uint64_t sent_ = 0;
};

/// What an answer says that it cost; what is no number costs as much as one that does not say.
std::uint64_t cost_in(std::string_view head, std::string_view name) noexcept {
    std::uint64_t cost = 1;
    for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
        at += 2;
        const auto colon = head.find(':', at);
        if (colon == std::string_view::npos) break;
        if (!http::iequals(head.substr(at, colon - at), name)) continue;
        const auto value = head.find_first_not_of(" \t", colon + 1);
        if (value != std::string_view::npos) std::from_chars(head.data() + value, head.data() + head.size(), cost);
        break;
    }
    return cost;
}

}  // namespace

Gate::Request Walk::gate_request(const Visit& visit) noexcept {
    const policy::Route* route = visit.notes.match.route;
    return {route,
            {visit.request, visit.notes.identity, visit.client_address,
             route != nullptr ? std::string_view(route->name) : std::string_view()},
            visit.now};
}

asio::awaitable<void> Walk::ask_limits(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out) {
    const Instant deadline = visit.now.mono + rooms_.limits.remote_budget;
    visit.notes.passage = co_await rooms_.gate.ask(visit.notes.gate, deadline);
    if (visit.notes.passage != Passage::open) co_return answer_refused(visit, out);
    if (look_on(visit, out)) co_return;
    co_await go_on(visit, std::move(body), out);
}

/// The limits that hold for what the cache could not answer; once for each request. False: it is answered.
asio::awaitable<bool> Walk::may_go_forward(Visit& visit, Answer& out) {
    Notes& notes = visit.notes;
    if (std::exchange(notes.is_paid, true) || rooms_.gate.is_open(notes.match.route)) co_return true;
    notes.passage = rooms_.gate.enter_as_miss(gate_request(visit), notes.gate);
    if (notes.passage == Passage::ask) {
        const Instant deadline = base::read_clock().mono + rooms_.limits.remote_budget;
        notes.passage = co_await rooms_.gate.ask(notes.gate, deadline);
    }
    if (notes.passage == Passage::open) co_return true;
    answer_refused(visit, out);
    co_return false;
}

void Walk::answer_refused(Visit& visit, Answer& out) {
    const Notes& notes = visit.notes;
    auto refusal = refusal_of(notes.gate, notes.passage);
    rooms_.metrics.add(base::Counter::rate_limited);
    rooms_.metrics.add(refusal.detail);
    out.verdict.detail = refusal.detail;
    present_problem_document(visit, refusal.status, std::move(refusal.problem), "", out);
    append_cache_status(out.tail, out.verdict);
    tell_limits(visit, out);
    append_retry_after(out.tail, notes.gate, visit.now);
}

void Walk::tell_limits(const Visit& visit, Answer& out) noexcept {
    const policy::Route* route = visit.notes.match.route;
    append_limit_fields(out.tail, visit.notes.gate, route != nullptr && route->policy.client.x_ratelimit);
}

/// What only the answer tells: its size, or what its origin says that it cost.
void Walk::charge(const Visit& visit, Answer& out) {
    std::vector<Ticket> by_size;
    for (const Ticket& ticket : visit.notes.gate.tickets()) {
        const LimitPolicy& policy = ticket.limit->policy;
        if (ticket.cost == 0 || !ticket.limit->is_charged_afterwards()) continue;
        if (policy.cost_by == LimitPolicy::Cost::response_header)
            rooms_.gate.charge(ticket, cost_in(out.head, policy.cost_name), visit.now);
        else if (out.stream && !out.head_only)
            by_size.push_back(ticket);
        else
            rooms_.gate.charge(ticket, out.body.size(), visit.now);
    }
    if (by_size.empty()) return;
    out.stream = std::make_shared<MeteredBody>(rooms_.gate, std::move(by_size), std::move(out.stream));
}

}  // namespace etage::flow
