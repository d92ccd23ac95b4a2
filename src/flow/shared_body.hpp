#pragma once
// Content that arrives once and is read by many while it arrives: the body of a flight.
//
// Concurrency · One producer, any number of readers, on any threads. The mutex guards the list of pieces; pieces
// themselves are immutable. Nobody holds it while copying, sending or waiting.
// Lifetime · A reader keeps the body alive. A piece a reader was given lives until its next read().
// Memory · As long as it keeps everything (it may become an entry) readers may come at any time. After stop_keeping()
// pieces that all readers have passed are dropped and the producer waits for the slowest reader; a reader that stalls
// is ended by its connection's write timeout.

#include "base/bytes.hpp"
#include "net/body_source.hpp"
#include "net/event.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace etage::flow {

class SharedBody : public std::enable_shared_from_this<SharedBody> {
public:
    /// How far the producer may be ahead of the slowest reader once nothing is kept.
    static constexpr std::size_t window_bytes_max = std::size_t{1} << 20;

    /// Producer: adds a piece, waiting for room after stop_keeping(). False: nobody wants the rest.
    asio::awaitable<bool> append(std::string_view piece);
    void finish();
    void fail(Error error);
    /// From now on it will not become an entry: new readers are not accepted.
    void stop_keeping();

    std::size_t size() const;
    /// All content in one string; only while everything is kept.
    std::string whole() const;

    /// A reader from the first byte, or null when the beginning is gone.
    std::shared_ptr<net::BodySource> reader();

private:
    class Reader;
    using Position = std::uint64_t;  // index of a piece since the beginning

    bool has_room() const;
    void drop_passed();  // under the mutex

    mutable std::mutex mutex_;
    std::deque<base::Ref<const base::Bytes>> pieces_;
    Position first_ = 0;     // position of pieces_.front()
    std::size_t bytes_ = 0;  // all that came
    std::size_t held_ = 0;   // in pieces_
    bool keeping_ = true;
    bool finished_ = false;
    std::optional<Error> error_;
    std::set<Reader*> readers_;
    net::Event arrived_;
    net::Event room_;
};

}  // namespace etage::flow
