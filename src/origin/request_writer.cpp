#include "origin/request_writer.hpp"

#include "http/h1_writer.hpp"
#include "origin/words.hpp"

#include <array>
#include <memory>
#include <utility>

namespace etage::origin {

namespace {

/// Fields that are made here, or mean this hop.
bool is_ours(http::FieldId id) noexcept {
    using enum http::FieldId;
    return id == host || id == content_length || id == transfer_encoding || id == connection || id == expect ||
           id == upgrade;
}

/// RFC 9110 §8.6: methods whose requests usually have content say so when they have none.
bool announces_no_content(http::Method method) noexcept {
    using enum http::Method;
    return method == post || method == put || method == patch;
}

/// Sends what one piece of content becomes. As send_request().
asio::awaitable<Result<bool>> send_pieces(UpstreamConnection& connection, Pieces pieces, Duration patience,
                                          ResponseHeadReader& answer) {
    for (;;) {
        const auto sent = co_await connection.send(pieces, patience);
        if (!sent && sent.error() == asio::error::timed_out)
            co_return failure(Blame::origin, Fault::origin_timeout,
                              "the request was not taken within " + in_words(patience));
        if (!sent) co_return false;
        if (*sent) co_return true;
        if (answer.answered()) co_return false;
    }
}

/// Ends the wait for a client's content when the upstream answers.
///
/// Concurrency · All in the one thread of the connection, between two steps of the sending coroutine. Lifetime · What
/// waits for the socket may come back when the watch is over; it knows by `over`.
class AnswerWatch {
public:
    AnswerWatch(UpstreamConnection& connection, ResponseHeadReader& answer, std::shared_ptr<net::BodySource> body)
        : state_(std::make_shared<State>(connection, answer, std::move(body))) {
        State::wait(state_);
    }
    ~AnswerWatch() {
        state_->over = true;
        asio::error_code ignored;
        state_->connection.socket().cancel(ignored);
    }
    AnswerWatch(const AnswerWatch&) = delete;
    AnswerWatch& operator=(const AnswerWatch&) = delete;

private:
    struct State {
        State(UpstreamConnection& c, ResponseHeadReader& a, std::shared_ptr<net::BodySource> b)
            : connection(c), answer(a), body(std::move(b)) {}

        static void wait(const std::shared_ptr<State>& state) {
            state->connection.socket().async_wait(asio::ip::tcp::socket::wait_read,
                                                  [state](const asio::error_code& ec) {
                                                      if (ec || state->over) return;
                                                      if (!state->answer.answered()) return wait(state);
                                                      state->body->cancel();
                                                  });
        }

        UpstreamConnection& connection;
        ResponseHeadReader& answer;
        std::shared_ptr<net::BodySource> body;
        bool over = false;
    };
    std::shared_ptr<State> state_;
};

std::unexpected<Error> wrong_length(std::string_view how) {
    return failure(Blame::client, Fault::bad_request,
                   "the request's content is " + std::string(how) + " than announced");
}

asio::awaitable<Result<bool>> send_content(UpstreamConnection& connection, const flow::OriginRequest& request,
                                           Duration patience, ResponseHeadReader& answer) {
    const bool chunked = !request.content_length;
    std::uint64_t left = request.content_length.value_or(0);
    std::array<char, 20> size_line;
    const AnswerWatch watch(connection, answer, request.body);
    for (;;) {
        // An answer to the last byte is not early.
        if ((chunked || left > 0) && answer.answered()) co_return false;
        const auto piece = co_await request.body->read();
        if (!piece && answer.answered()) co_return false;
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) break;
        if (!chunked && piece->size() > left) co_return wrong_length("longer");
        left -= chunked ? 0 : piece->size();

        Pieces pieces{{{}, asio::buffer(*piece), {}}};
        if (chunked) {
            pieces[0] = asio::buffer(http::chunk_head(size_line, piece->size()));
            pieces[2] = asio::buffer(std::string_view("\r\n"));
        }
        const auto sent = co_await send_pieces(connection, pieces, patience, answer);
        if (!sent || !*sent) co_return sent;
    }
    if (left > 0) co_return wrong_length("shorter");
    if (!chunked) co_return true;
    const Pieces end{{asio::buffer(http::last_chunk), {}, {}}};
    co_return co_await send_pieces(connection, end, patience, answer);
}

}  // namespace

void append_request_head(std::string& out, const flow::OriginRequest& request, std::string_view authority) {
    http::append_request_line(out, request.method_text, request.target);
    http::append_field(out, "Host", request.authority.empty() ? authority : request.authority);
    for (const http::Field& field : request.fields.span())
        if (!is_ours(field.id)) http::append_field(out, field.name, field.value);
    if (request.body && !request.content_length) {
        http::append_field(out, "Transfer-Encoding", "chunked");
    } else if (request.body) {
        http::append_field(out, "Content-Length", std::to_string(*request.content_length));
    } else if (announces_no_content(request.method)) {
        http::append_field(out, "Content-Length", "0");
    }
    if (request.body && request.expects_continue) http::append_field(out, "Expect", "100-continue");
    if (!request.upgrade.empty()) {
        http::append_field(out, "Connection", "upgrade");
        http::append_field(out, "Upgrade", request.upgrade);
    }
    out += "\r\n";
}

asio::awaitable<Result<bool>> send_request(UpstreamConnection& connection, const flow::OriginRequest& request,
                                           std::string_view authority, Duration patience, ResponseHeadReader& answer) {
    std::string& head = connection.scratch();
    head.clear();
    append_request_head(head, request, authority);
    const Pieces pieces{{asio::buffer(head), {}, {}}};
    auto sent = co_await send_pieces(connection, pieces, patience, answer);
    if (sent && *sent && request.body && request.expects_continue) {
        const bool wanted = co_await answer.content_wanted();
        sent = wanted;
    }
    if (sent && *sent && request.body) sent = co_await send_content(connection, request, patience, answer);
    co_return sent;
}

}  // namespace etage::origin
