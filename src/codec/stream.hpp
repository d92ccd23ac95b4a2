#pragma once
// Content codings of streams: piece by piece, in bounded memory. Nothing here does I/O, or allocates but for the
// library's state and what is appended to `out`. Each has one owner thread at a time.

#include "codec/coding.hpp"

#include <memory>

namespace etage::codec {

class Decoder;
class Encoder;

/// Encodes a stream. Memory: gzip 0.3 MiB, brotli 2 MiB (strong 2.7), zstd 2 MiB; windows of 32, 64 and 128 KiB, so the
/// result is somewhat larger than `encode` makes of the whole.
///
/// What returns false has had no memory. The stream cannot be gone on with then: what was made of it is cut short, and
/// is to be seen so by whoever receives it.
class StreamEncoder {
public:
    static StreamEncoder make(Format format, Effort effort);
    StreamEncoder(StreamEncoder&&) noexcept;
    StreamEncoder& operator=(StreamEncoder&&) noexcept;
    ~StreamEncoder();

    /// Takes `piece`; appends to `out` what there is to send, often nothing.
    [[nodiscard]] bool append(std::string& out, std::string_view piece);

    /// Appends so much that the receiver can decode all that was appended. Costs some bytes each time, and density: for
    /// streams that pause.
    [[nodiscard]] bool flush(std::string& out);

    /// Appends the end. Afterwards nothing can be appended: false.
    [[nodiscard]] bool finish(std::string& out);

private:
    explicit StreamEncoder(std::unique_ptr<Encoder> encoder) noexcept;

    std::unique_ptr<Encoder> encoder_;  // null: had no memory, or is finished
};

/// Decodes a stream, within limits. Memory: gzip 40 KiB, brotli up to 16 MiB, zstd up to 8 MiB, by the window that the
/// stream asks for. gzip may be several members, zstd several frames; behind brotli nothing may follow.
///
/// `ratio_max` is of what was made to what was given until then, so a body that `decode` takes may be refused for its
/// first part.
class StreamDecoder {
public:
    static StreamDecoder make(Format format, DecodeLimits limits);
    StreamDecoder(StreamDecoder&&) noexcept;
    StreamDecoder& operator=(StreamDecoder&&) noexcept;
    ~StreamDecoder();

    /// Appends to `out` all that `piece` decodes to. One fault is the last word: the decoder stays with it. What was
    /// appended before it is content, but never more than the limits allow.
    std::expected<void, DecodeFault> append(std::string& out, std::string_view piece);

    struct Step {
        std::size_t consumed = 0;  // of the bytes that were given
        bool more = false;         // call again with the rest, even with an empty one
    };

    /// The same, but appends at most `room` (> 0) bytes: for who cannot take as much as a piece may decode to.
    std::expected<Step, DecodeFault> step(std::string& out, std::string_view bytes, std::size_t room);

    /// What came so far is a whole body. When the input ends and this is false, it was cut short.
    bool finished() const noexcept;

private:
    StreamDecoder(std::unique_ptr<Decoder> decoder, DecodeLimits limits) noexcept;

    std::unique_ptr<Decoder> decoder_;
    DecodeLimits limits_;
    std::size_t consumed_ = 0;
    std::size_t made_ = 0;
    bool pending_ = false;  // the library holds content that there was no room for
    std::optional<DecodeFault> fault_;
};

}  // namespace etage::codec
