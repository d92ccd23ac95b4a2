#include "origin/response_head.hpp"

#include <algorithm>
#include <optional>

namespace etage::origin {

ResponseHeadReader::ResponseHeadReader(UpstreamConnection& connection, const UpstreamOptions& options,
                                       http::Method method) noexcept
    : connection_(connection), options_(options), method_(method), parser_(options.head) {}

asio::awaitable<ResponseHeadReader::Outcome> ResponseHeadReader::read() {
    std::optional<Instant> head_deadline;  // once its first byte is here: a head must not drip for ever
    for (;;) {
        const auto state = parse();
        if (state == http::ParseState::complete) co_return Outcome::complete;
        if (state == http::ParseState::failed) co_return Outcome::malformed;

        Duration patience = options_.first_byte_timeout;
        if (!connection_.buffered().empty()) {
            const Instant now = base::TimerClock::now();
            if (!head_deadline) head_deadline = now + options_.first_byte_timeout;
            patience = std::min(options_.between_bytes_timeout, *head_deadline - now);
        }
        const auto filled = co_await connection_.fill(patience);
        if (filled && *filled > 0) continue;
        if (filled || filled.error() != asio::error::timed_out) co_return Outcome::ended;
        co_return Outcome::timed_out;
    }
}

bool ResponseHeadReader::answered() noexcept {
    while (connection_.readable()) {
        const std::size_t before = connection_.buffered().size();
        connection_.fill_now();
        if (connection_.buffered().size() == before) return true;  // an end, an error, or no room: read() will say
        if (parse() != http::ParseState::incomplete) return true;
    }
    return false;
}

http::ParseState ResponseHeadReader::parse() noexcept {
    for (;;) {
        if (connection_.buffered().empty()) return http::ParseState::incomplete;
        const auto outcome = parser_.parse_response(connection_.buffered(), method_, connection_.slots(), head_);
        if (outcome.state == http::ParseState::failed) return malformed(outcome.why);
        if (outcome.state == http::ParseState::incomplete) return outcome.state;
        parser_.reset();
        if (head_.status >= 200) return outcome.state;
        if (head_.status == 101) return malformed("switched protocols without being asked");
        if (++interims_ > options_.interim_max) return malformed("too many interim responses");
        connection_.consume(head_.head_bytes);
    }
}

http::ParseState ResponseHeadReader::malformed(std::string_view why) noexcept {
    why_ = why;
    return http::ParseState::failed;
}

}  // namespace etage::origin
