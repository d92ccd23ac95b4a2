#include "redis/client.hpp"

#include "redis/cluster.hpp"
#include "redis/directory.hpp"
#include "redis/link.hpp"
#include "redis/words.hpp"

#include "base/hash.hpp"

#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace etage::redis {

namespace {

constexpr int redirections_max = 5;
constexpr Duration try_again_pause = std::chrono::milliseconds(10);

/// The server is not what it was: the connection goes, and who is in charge is found out anew.
bool tells_of_change(const Reply& reply) noexcept {
    if (!reply.is(Reply::Kind::error)) return false;
    for (const std::string_view code : {"READONLY", "LOADING", "MASTERDOWN", "UNBLOCKED", "CLUSTERDOWN"})
        if (reply.is_error(code)) return true;
    return false;
}

bool sends_elsewhere(const Reply& reply) noexcept {
    return reply.is(Reply::Kind::error) && (reply.is_error("MOVED") || reply.is_error("ASK"));
}

/// For one user alone; what a reply says of the server is heard all the same.
class Dedicated final : public Connection {
public:
    Dedicated(std::shared_ptr<Pipeline> pipeline, std::shared_ptr<Directory> directory, asio::any_io_executor executor)
        : pipeline_(std::move(pipeline)), directory_(std::move(directory)), executor_(std::move(executor)) {}
    ~Dedicated() override { pipeline_->close(); }

    asio::awaitable<Result<std::vector<Reply>>> exchange(std::vector<Command> commands, Instant deadline) override {
        const auto pipeline = pipeline_;
        const auto directory = directory_;
        const auto executor = executor_;
        auto replies = co_await pipeline->exchange(std::move(commands), deadline);
        const bool lost = !replies && pipeline->was_lost();
        bool changed = lost;
        if (replies)
            for (const Reply& reply : *replies) changed = changed || tells_of_change(reply) || sends_elsewhere(reply);
        if (changed) {
            pipeline->close("closed, because the server has changed");
            directory->doubt(executor);
        }
        co_return std::move(replies);
    }
    bool is_open() const noexcept override { return pipeline_->is_open(); }
    void close() noexcept override { pipeline_->close(); }
    const Identity& identity() const noexcept override { return pipeline_->identity(); }

private:
    const std::shared_ptr<Pipeline> pipeline_;
    const std::shared_ptr<Directory> directory_;
    const asio::any_io_executor executor_;
};

/// Commands on their way to where they belong.
struct Journey {
    std::span<const Command> commands;
    std::span<Reply> replies;
    Instant deadline;
};

/// The connection that they go by; null: there is none yet.
struct Way {
    std::shared_ptr<Link> link;
    std::shared_ptr<Pipeline> pipeline;
};

template <class T>
std::span<T> all(T& one) noexcept {
    return {&one, 1};
}
template <class T>
std::span<T> all(std::vector<T>& several) noexcept {
    return several;
}

bool has_error(std::span<const Reply> replies) noexcept {
    return std::ranges::any_of(replies, [](const Reply& reply) { return reply.is(Reply::Kind::error); });
}

class RoutedClient final : public Client {
public:
    RoutedClient(std::shared_ptr<const Common> common, std::shared_ptr<Directory> directory)
        : common_(std::move(common)), directory_(std::move(directory)) {}
    ~RoutedClient() override { let_go(); }

    asio::awaitable<Result<Reply>> call(Command command, Instant deadline) override {
        return travel(std::move(command), Reply(), deadline);
    }
    asio::awaitable<Result<std::vector<Reply>>> call(std::vector<Command> commands, Instant deadline) override {
        std::vector<Reply> replies(commands.size());
        return travel(std::move(commands), std::move(replies), deadline);
    }
    asio::awaitable<Result<Reply>> run(const Script& script, std::span<const std::string> keys,
                                       std::span<const std::string> arguments, Instant deadline) override;
    asio::awaitable<Result<std::shared_ptr<Connection>>> connect(std::string_view key, Instant deadline) override;

    bool away(std::string_view key) const noexcept override;
    std::string trouble() const override { return directory_->trouble(); }
    void let_go() noexcept override { directory_->let_go(); }

private:
    template <class Commands, class Replies>
    asio::awaitable<Result<Replies>> travel(Commands commands, Replies replies, Instant deadline);
    Way ready_way(std::string_view key, const asio::any_io_executor& executor) const;
    asio::awaitable<Result<void>> make_way(Journey journey, Way& way);
    asio::awaitable<Result<std::shared_ptr<Node>>> find(std::string key, Instant deadline);
    asio::awaitable<Result<void>> redirect(Journey journey, Link& asked);
    asio::awaitable<Result<void>> follow(Journey journey, std::size_t index, std::shared_ptr<Node> node,
                                         const asio::any_io_executor& executor);
    void heed(std::span<const Reply> replies, Node& node, const asio::any_io_executor& executor);

    const std::shared_ptr<const Common> common_;
    const std::shared_ptr<Directory> directory_;
};

/// One coroutine for the whole way, because every frame is paid for by every look.
template <class Commands, class Replies>
asio::awaitable<Result<Replies>> RoutedClient::travel(Commands commands, Replies replies, Instant deadline) {
    const Journey journey{all(commands), all(replies), deadline};
    if (journey.commands.empty()) co_return std::move(replies);
    common_->metrics.add(base::Counter::redis_commands, journey.commands.size());
    const auto executor = co_await asio::this_coro::executor;
    Way way = ready_way(journey.commands.front().key(), executor);
    Result<void> done;
    if (!way.pipeline) done = co_await make_way(journey, way);
    if (done) {
        Exchange exchange(journey.commands, journey.replies, deadline);
        co_await exchange.wait(*way.pipeline);
        done = way.link->conclude(way.pipeline, exchange);
        if (done && has_error(journey.replies)) done = co_await redirect(journey, *way.link);
    }
    if (done) co_return std::move(replies);
    common_->metrics.add(base::Counter::redis_errors);
    co_return std::unexpected(std::move(done.error()));
}

Way RoutedClient::ready_way(std::string_view key, const asio::any_io_executor& executor) const {
    const auto node = directory_->node_of(key);
    if (!node) return {};
    auto link = node->link(executor);
    auto pipeline = link->ready();
    return {std::move(link), std::move(pipeline)};
}

asio::awaitable<Result<void>> RoutedClient::make_way(Journey journey, Way& way) {
    const std::string& key = journey.commands.front().key();
    auto node = directory_->node_of(key);
    if (!node) {
        auto wanted = key;
        auto found = co_await find(std::move(wanted), journey.deadline);
        if (!found) co_return std::unexpected(std::move(found.error()));
        node = std::move(*found);
    }
    const auto executor = co_await asio::this_coro::executor;
    way.link = node->link(executor);
    auto pipeline = co_await way.link->usable(journey.deadline);
    if (!pipeline) co_return std::unexpected(std::move(pipeline.error()));
    way.pipeline = std::move(*pipeline);
    co_return Result<void>{};
}

asio::awaitable<Result<std::shared_ptr<Node>>> RoutedClient::find(std::string key, Instant deadline) {
    const auto looked = co_await directory_->look_up(deadline);
    if (auto node = directory_->node_of(key)) co_return node;
    if (!looked) co_return std::unexpected(looked.error());
    co_return std::unexpected(store_error(common_->options.url.text() + ": nobody serves this key's slot"));
}

void RoutedClient::heed(std::span<const Reply> replies, Node& node, const asio::any_io_executor& executor) {
    for (const Reply& reply : replies) {
        if (!tells_of_change(reply)) continue;
        if (!reply.is_error("CLUSTERDOWN")) node.link(executor)->drop("closed, because the server has changed");
        return directory_->doubt(executor);
    }
}

/// Some replies are errors: those that say where else to ask are followed, each on its own way.
asio::awaitable<Result<void>> RoutedClient::redirect(Journey journey, Link& asked) {
    heed(journey.replies, *asked.node(), asked.executor());
    if (common_->options.url.arrangement != Arrangement::cluster) co_return Result<void>{};
    for (std::size_t i = 0; i < journey.replies.size(); ++i) {
        auto node = asked.node();
        const auto done = co_await follow(journey, i, std::move(node), asked.executor());
        if (!done) co_return done;
    }
    co_return Result<void>{};
}

asio::awaitable<Result<void>> RoutedClient::follow(Journey journey, std::size_t index, std::shared_ptr<Node> node,
                                                   const asio::any_io_executor& executor) {
    const Command& command = journey.commands[index];
    Reply& reply = journey.replies[index];
    for (int redirections = 0;; ++redirections) {
        const auto elsewhere = redirection_of(reply, *node->address());
        if (!elsewhere && !reply.is_error("TRYAGAIN")) co_return Result<void>{};
        if (redirections == redirections_max)
            co_return std::unexpected(store_error(node->name() + ": sent from node to node: " + reply.text));
        if (elsewhere) {
            if (!elsewhere->ask) directory_->doubt(executor);
            node = directory_->node_at(elsewhere->address);
            if (!node) co_return std::unexpected(store_error("Redis: too many nodes: " + reply.text));
        } else {
            net::Timer pause(executor, std::min(base::TimerClock::now() + try_again_pause, journey.deadline));
            co_await pause.async_wait(net::quietly);
        }
        const Command both[] = {Command("", {"ASKING"}), command};
        Reply answers[2];
        const bool ask = elsewhere && elsewhere->ask;
        const auto link = node->link(executor);
        const auto done = co_await link->ask({both + (ask ? 0 : 1), both + 2}, {answers + (ask ? 0 : 1), answers + 2},
                                             journey.deadline);
        if (!done) co_return done;
        reply = std::move(answers[1]);
        heed({&reply, 1}, *node, executor);
    }
}

asio::awaitable<Result<Reply>> RoutedClient::run(const Script& script, std::span<const std::string> keys,
                                                 std::span<const std::string> arguments, Instant deadline) {
    std::vector<std::string> words = {"EVALSHA", std::string(script.sha1()), std::to_string(keys.size())};
    words.insert(words.end(), keys.begin(), keys.end());
    words.insert(words.end(), arguments.begin(), arguments.end());
    const std::string key = keys.empty() ? std::string() : keys.front();
    Command by_name(key, words);
    auto reply = co_await call(std::move(by_name), deadline);
    if (!reply || !reply->is_error("NOSCRIPT")) co_return std::move(reply);
    words[0] = "EVAL";
    words[1] = script.source();
    Command whole(key, words);
    co_return co_await call(std::move(whole), deadline);
}

asio::awaitable<Result<std::shared_ptr<Connection>>> RoutedClient::connect(std::string_view key, Instant deadline) {
    auto node = directory_->node_of(key);
    if (!node) {
        std::string wanted(key);
        auto found = co_await find(std::move(wanted), deadline);
        if (!found) co_return std::unexpected(std::move(found.error()));
        node = std::move(*found);
    }
    auto asked = node;
    auto pipeline = co_await open_pipeline(std::move(asked), deadline);
    const auto executor = co_await asio::this_coro::executor;
    if (!pipeline) {
        if (node->trouble().empty()) node->set_trouble(pipeline.error().what);
        directory_->doubt(executor);
        co_return std::unexpected(std::move(pipeline.error()));
    }
    if (!node->breaker().is_open()) node->set_trouble({});
    co_return std::make_shared<Dedicated>(std::move(*pipeline), directory_, executor);
}

bool RoutedClient::away(std::string_view key) const noexcept {
    const auto node = directory_->node_of(key);
    return node && node->breaker().is_open();
}

std::string hexadecimal(std::span<const unsigned char> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const unsigned char byte : bytes) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

}  // namespace

Script::Script(std::string_view source) : source_(source) {
    std::array<unsigned char, 20> digest{};
    base::sha1(source, digest.data());
    sha1_ = hexadecimal(digest);
}

Result<std::unique_ptr<Client>> make_client(const Options& options, base::Metrics& metrics, base::Log& log) {
    std::shared_ptr<const net::TlsContext> tls;
    if (options.url.tls) {
        auto made = net::TlsContext::make({options.tls_ca, options.tls_certificate, options.tls_key});
        if (!made) return failure(Blame::us, Fault::internal, "redis: " + made.error());
        tls = std::move(*made);
    }
    const auto common =
        std::make_shared<const Common>(Common{options, std::move(tls), metrics, log, base::random_seed()});
    std::shared_ptr<Directory> directory;
    switch (options.url.arrangement) {
        case Arrangement::standalone: directory = std::make_shared<FixedDirectory>(common); break;
        case Arrangement::sentinel: directory = make_sentinel_directory(common); break;
        case Arrangement::cluster: directory = make_cluster_directory(common); break;
    }
    return std::make_unique<RoutedClient>(common, std::move(directory));
}

}  // namespace etage::redis
