#pragma once
// Content in another coding than it comes in, piece by piece: made for one client while it arrives.
//
// Concurrency · One reader, as of any body. A piece that takes long is worked on by one of the threads while the reader
// waits; nothing else touches the body meanwhile.
// Lifetime · The threads outlive every read().
// Memory · The library's state, one piece of what comes and one of what goes: nothing is collected, so who takes little
// is asked for little.

#include "codec/stream.hpp"
#include "net/body_source.hpp"

#include <asio/thread_pool.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace etage::flow {

class CodedBody : public net::BodySource {
public:
    /// Where it is worked on, and the right to be one of so many bodies: held while this one lives, may be null.
    struct Workplace {
        asio::thread_pool& threads;
        std::shared_ptr<void> permit;
    };

    /// What is worked on at once, and, decoded, what comes of it.
    static constexpr std::size_t slice_bytes_max = std::size_t{64} << 10;
    /// Up to here a piece takes less (gzip: 60 µs) than it costs the loop and another thread to hand it over and back.
    static constexpr std::size_t at_once_bytes_max = std::size_t{4} << 10;

    /// An error of `content` is passed on, and so is its end: what was cut short is never finished.
    asio::awaitable<Result<std::string_view>> read() final;
    void cancel() noexcept final { content_->cancel(); }

protected:
    CodedBody(std::shared_ptr<net::BodySource> content, Workplace workplace)
        : content_(std::move(content)), workplace_(std::move(workplace)) {}

    /// Takes a part of `in_` and appends to `out_`; with `ended_`, the end.
    virtual Result<void> work() = 0;

    std::string_view in_;  // borrowed from `content_`, which is not read again before it is used up
    std::string out_;
    bool ended_ = false;  // `content_` is
    bool more_ = false;   // there is something to do without a further piece

private:
    asio::awaitable<Result<void>> take_piece();
    asio::awaitable<Result<void>> work_somewhere();
    asio::awaitable<Result<std::string_view>> make_piece();

    std::shared_ptr<net::BodySource> content_;
    Workplace workplace_;
    std::optional<Error> failed_;  // the last word
};

class EncodedBody final : public CodedBody {
public:
    /// `prompt`: whatever has come can be decoded at once, for content that pauses.
    EncodedBody(std::shared_ptr<net::BodySource> content, Workplace workplace, codec::Format format, bool prompt)
        : CodedBody(std::move(content), std::move(workplace)),
          encoder_(codec::StreamEncoder::make(format, codec::Effort::fast)),
          prompt_(prompt) {}

private:
    Result<void> work() override;

    codec::StreamEncoder encoder_;
    bool prompt_;
};

class DecodedBody final : public CodedBody {
public:
    /// Is told once, perhaps on one of the threads, that what came is damaged, cut short or beyond the limits.
    using Complaint = std::function<void(std::string_view why)>;

    DecodedBody(std::shared_ptr<net::BodySource> content, Workplace workplace, codec::Format format,
                codec::DecodeLimits limits, Complaint complain)
        : CodedBody(std::move(content), std::move(workplace)),
          decoder_(codec::StreamDecoder::make(format, limits)),
          complain_(std::move(complain)) {}

private:
    Result<void> work() override;
    Result<void> refuse(Fault fault, std::string_view why);

    codec::StreamDecoder decoder_;
    Complaint complain_;
    bool any_ = false;  // something came: no content at all is no content in any coding
};

}  // namespace etage::flow
