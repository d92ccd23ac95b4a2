#include "origin/upstream_exchange.hpp"

#include "http/h1_writer.hpp"
#include "origin/request_writer.hpp"
#include "origin/response_head.hpp"
#include "origin/upstream_body.hpp"
#include "origin/upstream_tunnel.hpp"
#include "origin/words.hpp"

#include <charconv>
#include <utility>

namespace etage::origin {

namespace {

using http::BodyKind;
using http::ResponseHead;

ExchangeFailure origin_failure(const Lease& lease, Fault fault, std::string_view what, bool unanswered = false) {
    return {Error{Blame::origin, fault, false, lease.endpoint().name() + ": " + std::string(what)}, unanswered};
}

ExchangeFailure no_head(const Lease& lease, const ResponseHeadReader& reader, ResponseHeadReader::Outcome outcome,
                        const UpstreamOptions& options) {
    using enum ResponseHeadReader::Outcome;
    if (outcome == malformed) return origin_failure(lease, Fault::origin_protocol, reader.why());
    if (outcome == timed_out)
        return origin_failure(lease, Fault::origin_timeout,
                              reader.began() ? "the head of the answer did not end in time"
                                             : "no answer within " + in_words(options.first_byte_timeout));
    if (reader.began())
        return origin_failure(lease, Fault::origin_incomplete, "the connection ended within the head of the answer");
    return origin_failure(lease, Fault::origin_incomplete, "the connection was closed without an answer", true);
}

/// What a message without content says its content's length would be (RFC 9110 §8.6); nothing for 204.
std::optional<std::uint64_t> length_without_content(const ResponseHead& head) {
    const auto field = http::find(head.fields, http::FieldId::content_length);
    if (!field || head.status == 204) return std::nullopt;
    std::uint64_t length = 0;
    const auto [end, ec] = std::from_chars(field->data(), field->data() + field->size(), length);
    if (ec != std::errc() || end != field->data() + field->size()) return std::nullopt;
    return length;
}

/// Calls each(piece) for the content in `bytes`; the message's length when it ends within them.
template <class F>
std::optional<std::size_t> decode_whole(http::BodyDecoder decoder, std::string_view bytes, F&& each) {
    std::size_t used = 0;
    while (!decoder.finished()) {
        const auto step = decoder.step(bytes.substr(used));
        used += step.consumed;
        each(step.content);
        if (step.failed || (step.consumed == 0 && !step.finished)) return std::nullopt;
        if (step.finished) break;
    }
    return used;
}

/// Takes the content when all of it has arrived; leaves everything as it was when not.
bool take_whole_content(UpstreamConnection& connection, const http::BodyDecoder& decoder, std::string& content) {
    const auto length = decode_whole(decoder, connection.buffered(), [](std::string_view) {});
    if (!length) return false;
    decode_whole(decoder, connection.buffered(), [&content](std::string_view piece) { content += piece; });
    connection.consume(*length);
    return true;
}

/// Small answers often come as two segments, head and content, the second of which is there by now.
bool take_small_content(UpstreamConnection& connection, const http::BodyDecoder& decoder, std::string& content) {
    if (decoder.kind() == BodyKind::until_close) return false;
    if (take_whole_content(connection, decoder, content)) return true;
    connection.fill_now();
    return take_whole_content(connection, decoder, content);
}

flow::OriginResponse response_without_content(const ResponseHead& head) {
    flow::OriginResponse response;
    response.status = head.status;
    response.minor = head.minor;
    response.reason = head.reason;
    response.fields = http::Fields(head.fields);
    http::remove_hop_by_hop(response.fields);
    return response;
}

/// RFC 9110 §7.8. What is buffered behind the head is not HTTP any more.
flow::OriginResponse switched(Lease& lease, const ResponseHead& head) {
    auto response = response_without_content(head);
    response.upgrade = http::joined(head.fields, http::FieldId::upgrade).value_or("");
    lease.connection().consume(head.head_bytes);
    response.tunnel = std::make_shared<UpstreamTunnel>(std::move(lease));
    return response;
}

/// Makes the answer from a complete head, whose bytes are still buffered. The lease ends here or goes into the body.
/// Nothing is passed on of an answer whose content is seen to be malformed.
std::expected<flow::OriginResponse, ExchangeFailure> answer_from(Lease& lease, const ResponseHead& head,
                                                                 const UpstreamOptions& options, bool reusable) {
    UpstreamConnection& connection = lease.connection();
    auto response = response_without_content(head);
    if (head.body == BodyKind::length) response.content_length = head.content_length;
    if (head.body == BodyKind::none) response.content_length = length_without_content(head);
    connection.consume(head.head_bytes);  // the head's views end here

    const http::BodyDecoder decoder(head.body, head.content_length);
    if (!take_small_content(connection, decoder, response.content)) {
        if (const auto why = http::why_malformed(decoder, connection.buffered()); !why.empty())
            return std::unexpected(origin_failure(lease, Fault::origin_protocol, why));
        response.body = std::make_shared<UpstreamBody>(std::move(lease), decoder, options.between_bytes_timeout,
                                                       options.announced_rate_min, reusable);
        return response;
    }
    if (head.body == BodyKind::chunked) response.content_length = response.content.size();
    // RFC 9112 §9.3: a connection with bytes beyond the message is not in a known state.
    if (reusable && connection.buffered().empty())
        lease.give_back();
    else
        lease.abandon();
    return response;
}

}  // namespace

asio::awaitable<std::expected<flow::OriginResponse, ExchangeFailure>> exchange(Lease& lease,
                                                                               const flow::OriginRequest& request,
                                                                               const UpstreamOptions& options) {
    using Outcome = ResponseHeadReader::Outcome;
    ResponseHeadReader reader(lease.connection(), options, request);
    const auto sent = co_await send_request(lease.connection(), request, lease.endpoint().authority(),
                                            options.between_bytes_timeout, reader);
    if (!sent) {
        auto error = sent.error();
        if (error.blame == Blame::origin) error.what = lease.endpoint().name() + ": " + error.what;
        co_return std::unexpected(ExchangeFailure{std::move(error)});
    }
    // Also when sending failed: the upstream may have answered before it closed its ears.
    const auto outcome = co_await reader.read();
    if (outcome != Outcome::complete) co_return std::unexpected(no_head(lease, reader, outcome, options));
    if (reader.head().status == 101) co_return switched(lease, reader.head());
    co_return answer_from(lease, reader.head(), options, *sent && reader.head().keep_alive);
}

}  // namespace etage::origin
