// The primary that Sentinels name. They are asked one after the other, the one that knew it last first; whoever is
// named must say itself that it is a primary (see hello.hpp), or they are asked again.

#include "redis/directory.hpp"
#include "redis/words.hpp"

#include <charconv>
#include <optional>

namespace etage::redis {

namespace {

std::optional<Address> address_of(const Reply& reply) {
    if (!reply.is(Reply::Kind::array) || reply.elements.size() != 2) return std::nullopt;
    const std::string& port = reply.elements[1].text;
    Address address{.host = reply.elements[0].text, .port = 0};
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (ec != std::errc{} || end != port.data() + port.size() || address.port == 0 || address.host.empty())
        return std::nullopt;
    return address;
}

class SentinelDirectory final : public AskingDirectory {
public:
    // A failover takes seconds: asked so often, its end is noticed soon enough.
    static constexpr Duration interval = std::chrono::milliseconds(200);

    explicit SentinelDirectory(std::shared_ptr<const Common> common) : AskingDirectory(std::move(common), interval) {
        for (const Address& address : common_->options.url.addresses)
            sentinels_.push_back(std::make_shared<Node>(common_, address, Wanted::sentinel));
    }

    std::shared_ptr<Node> node_of(std::string_view) const override {
        const std::lock_guard lock(mutex_);
        return primary_;
    }

    std::string trouble() const override {
        const auto primary = node_of({});
        const std::string what = primary ? primary->trouble() : "";
        return what.empty() ? AskingDirectory::trouble() : what;
    }

    void let_go() noexcept override {
        if (const auto primary = node_of({})) primary->let_go();
    }

private:
    asio::awaitable<Result<void>> ask() override {
        Error error;
        for (std::size_t i = 0; i < sentinels_.size(); ++i) {
            const std::size_t index = (preferred_ + i) % sentinels_.size();
            const auto named = co_await ask_one(sentinels_[index]);
            if (named) {
                preferred_ = index;
                adopt(*named);
                co_return Result<void>{};
            }
            error = named.error();
        }
        co_return std::unexpected(std::move(error));
    }

    asio::awaitable<Result<Address>> ask_one(std::shared_ptr<Node> sentinel) {
        const std::string& name = common_->options.url.primary;
        Command question("", {"SENTINEL", "get-master-addr-by-name", name});
        auto asked = sentinel;
        const auto reply = co_await AskingDirectory::ask(std::move(asked), std::move(question));
        if (!reply) co_return std::unexpected(reply.error());
        if (reply->is(Reply::Kind::nil))
            co_return std::unexpected(store_error(sentinel->name() + " knows no primary named \"" + name + "\""));
        auto address = address_of(*reply);
        if (!address) co_return std::unexpected(store_error(sentinel->name() + ": an answer that is no address"));
        co_return std::move(*address);
    }

    void adopt(const Address& address) {
        const std::lock_guard lock(mutex_);
        if (primary_ && primary_->address() == address) return;
        if (primary_) primary_->retire();
        primary_ = std::make_shared<Node>(common_, address);
        primary_->on_failure([weak = weak_from_this()](const asio::any_io_executor& executor) {
            if (const auto self = weak.lock()) self->doubt(executor);
        });
    }

    std::vector<std::shared_ptr<Node>> sentinels_;
    std::atomic<std::size_t> preferred_{0};
    mutable std::mutex mutex_;
    std::shared_ptr<Node> primary_;
};

}  // namespace

std::shared_ptr<Directory> make_sentinel_directory(std::shared_ptr<const Common> common) {
    return std::make_shared<SentinelDirectory>(std::move(common));
}

}  // namespace etage::redis
