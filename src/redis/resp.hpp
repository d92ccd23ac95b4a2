#pragma once
// RESP2 as bytes: how a command is written, how replies are read. No I/O.
//
// Replies are hiredis' reader's work; what it finds is built into `Reply` directly. A server is not trusted: how long a
// reply may get, how many elements it may have and how deep it may nest are bounded.

#include "redis/reply.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct redisReader;

namespace etage::redis {

/// "$3\r\nGET\r\n": one word of a command.
void append_word(std::string& out, std::string_view word);
/// "*2\r\n": as many words follow.
void append_word_count(std::string& out, std::size_t words);

/// Takes bytes as they come, in pieces of any size, and hands out whole replies. After an error it is of no use.
class ReplyReader {
public:
    /// Of one reply, nested ones together. Every element costs the server four bytes at least, and us many more.
    static constexpr std::size_t elements_max = std::size_t{1} << 18;

    explicit ReplyReader(std::size_t reply_bytes_max);
    ~ReplyReader();
    ReplyReader(const ReplyReader&) = delete;
    ReplyReader& operator=(const ReplyReader&) = delete;

    /// Calls take(Reply&&) for every reply that these bytes complete, until it returns false (what is left is dropped).
    /// False when the bytes are no RESP2, or over a bound: error() says what.
    template <class Take>
    bool read(std::string_view bytes, Take&& take) {
        while (!bytes.empty()) {
            const std::string_view slice = bytes.substr(0, slice_bytes);
            bytes.remove_prefix(slice.size());
            if (!feed(slice)) return false;
            while (Reply* const reply = next())
                if (!take(std::move(*reply))) return true;
            if (!error_.empty()) return false;
        }
        return true;
    }

    /// For people: `Protocol error, got "H" as reply type byte`. Empty while all is well.
    const std::string& error() const noexcept { return error_; }

    /// No byte of a further reply has come.
    bool is_between_replies() const noexcept { return pending_bytes_ == 0; }

private:
    friend struct ReplyBuilder;

    // hiredis moves what it has not read yet to the front of its buffer after every reply: small slices, small moves.
    static constexpr std::size_t slice_bytes = 4096;

    bool feed(std::string_view slice);
    Reply* next();

    struct Free {
        void operator()(redisReader* reader) const noexcept;
    };
    std::unique_ptr<redisReader, Free> reader_;
    const std::size_t reply_bytes_max_;
    std::size_t pending_bytes_ = 0;  // of the reply that is not complete
    std::size_t elements_ = 0;       // of the same
    Reply root_;                     // of the same; then the whole of it
    std::string error_;
};

}  // namespace etage::redis
