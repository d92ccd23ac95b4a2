#pragma once
// The log of one process that is alone: its positions are made here, and whoever asks has applied everything.

#include "base/metrics.hpp"
#include "flow/invalidation.hpp"

namespace etage::flow {

class LocalLog final : public InvalidationLog {
public:
    /// Engine and metrics are borrowed.
    LocalLog(coherence::Engine& engine, base::Metrics& metrics, TagsOf tags_of);

    /// Never fails, never waits.
    asio::awaitable<Result<Sequence>> invalidate(Invalidation invalidation, Instant deadline) override;
    asio::awaitable<Receipt> receipt(Sequence position, Instant deadline) override;
    /// A token that is ahead is of another life or made up: nothing to wait for.
    asio::awaitable<bool> reach(Sequence token, Instant deadline) override;
    bool is_alone() const noexcept override { return true; }

private:
    coherence::Engine& engine_;
    base::Metrics& metrics_;
    TagsOf tags_of_;
};

}  // namespace etage::flow
