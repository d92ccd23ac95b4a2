#pragma once
// A shared tier that a test plays: what is in it, who has claimed what, and how it fails. For tests only.

#include "base/clock.hpp"
#include "flow/walk_fixture.hpp"
#include "store/remote_store.hpp"

#include <map>

namespace etage::flow::testing {

class PlayedRemote final : public store::RemoteStore {
public:
    class Claim final : public store::RemoteClaim {
    public:
        Claim(PlayedRemote& remote, std::string name) : remote_(remote), name_(std::move(name)) {}
        ~Claim() override { remote_.release(name_); }
        void abandon() noexcept override { remote_.abandoned = true; }

    private:
        PlayedRemote& remote_;
        std::string name_;
    };

    bool is_gone = false;      // every call is away
    bool claims_fail = false;  // those are
    bool abandoned = false;
    Duration takes{};
    std::map<std::string, base::Ref<const store::Entry>> entries;
    std::map<std::string, Sequence> claims;  // by others, or by us
    std::size_t finds = 0, claimed = 0, puts = 0;
    std::string last_name;  // of a put

    asio::awaitable<Found> find(const store::RemoteName& name, Instant) override {
        ++finds;
        last_looked = std::string(name.name);
        if (is_gone) co_return Found{Answer::away, nullptr};
        co_return read(name);
    }

    asio::awaitable<Claimed> claim(const store::RemoteName& name, Sequence fence, Instant) override {
        ++claimed;
        Claimed out;
        if (is_gone || claims_fail) co_return out;
        const auto [at, is_ours] = claims.try_emplace(std::string(name.name), fence);
        out.answer = is_ours ? Answer::hit : Answer::miss;
        out.fence = at->second;
        out.is_shareable = !abandoned;
        if (is_ours) {
            out.claim = std::make_shared<Claim>(*this, std::string(name.name));
            out.entry = read(name).entry;
        }
        co_return out;
    }

    void put(const asio::any_io_executor&, std::string_view name, base::Ref<const store::Entry> entry,
             const http::VaryNames&, std::shared_ptr<store::RemoteClaim>, Instant) override {
        ++puts;
        last_name = name;
        entries[std::string(name)] = std::move(entry);
    }

    bool is_away() const noexcept override { return is_gone; }

    std::string last_looked;

private:
    void release(const std::string& name) { claims.erase(name); }

    Found read(const store::RemoteName& name) {
        const auto found = entries.find(std::string(name.name));
        if (found == entries.end() || found->second->parts().key != name.key) return {};
        return {Answer::hit, found->second};
    }
};

/// A log that cannot record anything.
class DeafLog final : public InvalidationLog {
public:
    asio::awaitable<Result<Sequence>> invalidate(Invalidation, Instant) override {
        co_return failure(Blame::remote_store, Fault::not_recorded, "Redis is away", true);
    }
    asio::awaitable<Receipt> receipt(Sequence, Instant) override { co_return Receipt{}; }
    asio::awaitable<bool> reach(Sequence, Instant) override { co_return false; }
    bool is_alone() const noexcept override { return false; }
};

}  // namespace etage::flow::testing
