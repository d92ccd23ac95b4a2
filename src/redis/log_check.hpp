#pragma once
// The self-check: some invalidations are looked at again later, to see whether anything is served that should be gone.
// Its metric must stay 0; a protocol that cannot be watched in production is a hope.
//
// Thread-safe. `is_fine` is called on the log's thread, without a lock held: while it looks, the log is not read.

#include <etage/sequence.hpp>
#include <etage/time.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace etage::redis {

/// Rows of docs/limits.md. Further invalidations are not looked at again.
inline constexpr std::size_t self_checks_max = 64;
inline constexpr Duration self_check_every = std::chrono::seconds(1);

class SelfCheck {
public:
    /// What was invalidated at this position is nowhere served from what is older: true.
    using IsFine = std::function<bool(Sequence, std::span<const TagHash>)>;
    static constexpr std::array after{std::chrono::seconds(1), std::chrono::seconds(10), std::chrono::seconds(60)};

    explicit SelfCheck(IsFine is_fine) : is_fine_(std::move(is_fine)) {}

    /// Takes some of them.
    void sample(Sequence position, std::span<const TagHash> tags, Instant now);

    struct Outcome {
        std::size_t looked = 0;
        std::vector<Sequence> violated;
    };
    Outcome look(Instant now);
    /// When look() has something to do.
    std::optional<Instant> due() const;

private:
    struct Sample {
        Sequence position = 0;
        std::vector<TagHash> tags;
        Instant began;
        std::size_t looks = 0;
        Instant due() const { return began + after[looks]; }
    };
    std::vector<Sample> take_due(Instant now);

    IsFine is_fine_;
    mutable std::mutex mutex_;
    std::vector<Sample> samples_;
    std::optional<Instant> last_;
};

}  // namespace etage::redis
