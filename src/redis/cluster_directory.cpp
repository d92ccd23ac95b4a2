// The nodes of a cluster. Which of them has a slot is asked of any of them, at most once a second; until the answer is
// there a redirection leads to the right one.

#include "redis/cluster.hpp"
#include "redis/directory.hpp"
#include "redis/words.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace etage::redis {

namespace {

struct ByAddress {
    bool operator()(const Address& a, const Address& b) const noexcept {
        return a.host != b.host ? a.host < b.host : a.port < b.port;
    }
};

/// Immutable once made.
struct Topology {
    SlotMap slots;
    std::vector<std::shared_ptr<Node>> nodes;  // beside slots.primaries
};

class ClusterDirectory final : public AskingDirectory {
public:
    static constexpr Duration interval = std::chrono::seconds(1);

    explicit ClusterDirectory(std::shared_ptr<const Common> common) : AskingDirectory(std::move(common), interval) {}

    std::shared_ptr<Node> node_of(std::string_view key) const override {
        const std::lock_guard lock(mutex_);
        if (!topology_) return nullptr;
        if (key.empty()) return topology_->nodes.front();
        const std::uint16_t owner = topology_->slots.owner[slot_of(key)];
        return owner == SlotMap::nobody ? nullptr : topology_->nodes[owner];
    }

    std::shared_ptr<Node> node_at(const Address& address) override {
        const std::lock_guard lock(mutex_);
        return node(address);
    }

    std::string trouble() const override {
        if (std::string what = AskingDirectory::trouble(); !what.empty()) return what;
        const std::lock_guard lock(mutex_);
        if (topology_)
            for (const auto& node : topology_->nodes)
                if (std::string what = node->trouble(); !what.empty()) return what;
        return {};
    }

    void let_go() noexcept override {
        const std::lock_guard lock(mutex_);
        for (const auto& [address, node] : nodes_) node->let_go();
    }

private:
    asio::awaitable<Result<void>> ask() override {
        Error error;
        for (const Address& address : whom_to_ask()) {
            const auto node = std::make_shared<Node>(common_, address, Wanted::any_node);
            auto asked = node;
            Command question("", {"CLUSTER", "SLOTS"});
            const auto reply = co_await AskingDirectory::ask(std::move(asked), std::move(question));
            if (reply) {
                if (auto slots = read_slots(*reply, address)) {
                    adopt(std::move(*slots));
                    co_return Result<void>{};
                }
                error = store_error(node->name() + " serves no slot of a cluster");
            } else {
                error = reply.error();
                if (error.what.find("cluster support disabled") != std::string::npos)
                    error = store_error(node->name() + " is no cluster: the URL begins with redis://", false);
            }
        }
        co_return std::unexpected(std::move(error));
    }

    /// Those of the URL last: they may be long gone. The order turns, so that one that knows little is not asked alone.
    std::vector<Address> whom_to_ask() {
        std::vector<Address> addresses;
        {
            const std::lock_guard lock(mutex_);
            if (topology_) addresses = topology_->slots.primaries;
        }
        if (!addresses.empty())
            std::ranges::rotate(addresses, addresses.begin() + static_cast<std::ptrdiff_t>(turn_++ % addresses.size()));
        for (const Address& seed : common_->options.url.addresses)
            if (std::ranges::find(addresses, seed) == addresses.end()) addresses.push_back(seed);
        return addresses;
    }

    void adopt(SlotMap slots) {
        const auto made = std::make_shared<Topology>();
        const std::lock_guard lock(mutex_);
        std::map<Address, std::shared_ptr<Node>, ByAddress> kept;
        for (const Address& address : slots.primaries) {
            const auto known = node(address);
            made->nodes.push_back(known);
            kept.emplace(address, known);
        }
        nodes_.swap(kept);
        for (const auto& [address, node] : kept)
            if (!nodes_.contains(address)) node->retire();
        made->slots = std::move(slots);
        topology_ = made;
    }

    /// Under the mutex. Null when there are too many: a server that redirects to ever new addresses is no cluster.
    std::shared_ptr<Node> node(const Address& address) {
        if (const auto known = nodes_.find(address); known != nodes_.end()) return known->second;
        if (nodes_.size() >= 2 * cluster_nodes_max) return nullptr;
        const auto made = std::make_shared<Node>(common_, address);
        made->on_failure([weak = weak_from_this()](const asio::any_io_executor& executor) {
            if (const auto self = weak.lock()) self->doubt(executor);
        });
        nodes_.emplace(address, made);
        return made;
    }

    std::atomic<std::size_t> turn_{0};
    mutable std::mutex mutex_;
    std::shared_ptr<const Topology> topology_;
    std::map<Address, std::shared_ptr<Node>, ByAddress> nodes_;  // all that are known, also by redirections
};

}  // namespace

std::shared_ptr<Directory> make_cluster_directory(std::shared_ptr<const Common> common) {
    return std::make_shared<ClusterDirectory>(std::move(common));
}

}  // namespace etage::redis
