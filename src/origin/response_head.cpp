#include "origin/response_head.hpp"

#include "http/h1_writer.hpp"
#include "policy/invalidate.hpp"

#include <algorithm>
#include <new>
#include <optional>

namespace etage::origin {

ResponseHeadReader::ResponseHeadReader(UpstreamConnection& connection, const UpstreamOptions& options,
                                       const flow::OriginRequest& request) noexcept
    : connection_(connection), options_(options), request_(request), parser_(options.head) {}

asio::awaitable<ResponseHeadReader::Outcome> ResponseHeadReader::read() {
    std::optional<Instant> head_deadline;  // once its first byte is here: a head must not drip for ever
    for (;;) {
        const std::size_t interims = interims_;
        const auto state = parse();
        if (interims_ != interims) head_deadline.reset();
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
    while (!answered_ && connection_.readable()) {
        const std::size_t before = connection_.buffered().size();
        connection_.fill_now();
        // The same as before: an end, an error, or no room; read() will say.
        answered_ = connection_.buffered().size() == before || parse() != http::ParseState::incomplete;
    }
    return answered_;
}

asio::awaitable<bool> ResponseHeadReader::content_wanted() {
    const Instant deadline = base::TimerClock::now() + options_.continue_wait_max;
    while (!answered() && !continued_) {
        const Instant now = base::TimerClock::now();
        if (now >= deadline) break;
        co_await connection_.wait_until_readable(deadline - now);
    }
    co_return !answered_;
}

http::ParseState ResponseHeadReader::parse() noexcept {
    for (;;) {
        if (connection_.buffered().empty()) return http::ParseState::incomplete;
        const auto outcome =
            parser_.parse_response(connection_.buffered(), request_.method, connection_.slots(), head_);
        if (outcome.state == http::ParseState::failed) return malformed(outcome.why);
        if (outcome.state == http::ParseState::incomplete) return outcome.state;
        parser_.reset();
        if (head_.status >= 200) return outcome.state;
        if (head_.status == 101)
            return switches_as_asked() ? outcome.state : malformed("switched protocols without being asked");
        if (++interims_ > options_.interim_max) return malformed("too many interim responses");
        tell();
        connection_.consume(head_.head_bytes);
    }
}

/// RFC 9110 §7.8: only to what the request named.
bool ResponseHeadReader::switches_as_asked() const noexcept {
    std::size_t chosen = 0;
    bool asked = true;
    http::for_each_element(head_.fields, http::FieldId::upgrade, [&](std::string_view protocol) {
        ++chosen;
        bool named = false;
        http::for_each_element(request_.upgrade,
                               [&](std::string_view wanted) { named = named || http::iequals(wanted, protocol); });
        asked = asked && named;
    });
    return chosen > 0 && asked;
}

/// 100 is for us: what it asks for is asked of the client when its content is read.
void ResponseHeadReader::tell() noexcept {
    if (head_.status == 100) {
        continued_ = true;
        return;
    }
    if (!request_.interim) return;
    try {
        http::Fields fields(head_.fields);
        http::remove_hop_by_hop(fields);
        policy::remove_tag_fields(fields);
        request_.interim->tell(head_.status, fields.span());
    } catch (const std::bad_alloc&) {  // it may be lost
    }
}

http::ParseState ResponseHeadReader::malformed(std::string_view why) noexcept {
    why_ = why;
    return http::ParseState::failed;
}

}  // namespace etage::origin
