#include "http_client.hpp"

#include "http/h1_parser.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <array>
#include <optional>
#include <string_view>

namespace etage::cli {
namespace {

using asio::ip::tcp;
using Result = std::expected<HttpAnswer, HttpFailure>;

/// Makes an answer from bytes as they come. No I/O.
class AnswerReader {
public:
    explicit AnswerReader(const HttpCall& call) : call_(call) {}

    /// The answer, or why there is none; nothing when more bytes are needed.
    std::optional<Result> take(std::string_view bytes) {
        pending_ += bytes;
        while (!headed_) {
            const auto outcome = parser_.parse_response(pending_, call_.method, slots_, head_);
            if (outcome.state == http::ParseState::failed) return unusable("not HTTP: " + std::string(outcome.why));
            if (outcome.state == http::ParseState::incomplete) return std::nullopt;
            if (head_.status == 101) return unusable("switched protocols without being asked");
            if (head_.status >= 200) begin_content();
            pending_.erase(0, head_.head_bytes);
            parser_.reset();
        }
        return decode();
    }

    /// The connection has ended.
    Result end() {
        if (headed_ && answer_.framing == http::BodyKind::until_close) return std::move(answer_);
        return *unusable(headed_ ? "the connection ended within the answer" : "the connection ended without an answer");
    }

private:
    static std::optional<Result> unusable(std::string what) {
        return std::unexpected(HttpFailure{HttpFailure::Kind::unusable, std::move(what)});
    }

    void begin_content() {
        headed_ = true;
        answer_.status = head_.status;
        answer_.framing = head_.body;
        answer_.fields = http::Fields(head_.fields);
        decoder_ = http::BodyDecoder(head_.body, head_.content_length);
    }

    std::optional<Result> decode() {
        std::size_t used = 0;
        while (!decoder_.finished()) {
            const auto step = decoder_.step(std::string_view(pending_).substr(used));
            if (step.failed) return unusable(std::string(step.why));
            used += step.consumed;
            answer_.content += step.content.substr(0, call_.content_bytes_max - answer_.content.size());
            if (!step.content.empty() && answer_.content.size() == call_.content_bytes_max && !step.finished) {
                answer_.whole = false;
                return std::move(answer_);
            }
            if (step.consumed == 0 && !step.finished) break;
        }
        pending_.erase(0, used);
        if (!decoder_.finished()) return std::nullopt;
        return std::move(answer_);
    }

    const HttpCall& call_;
    std::string pending_;
    http::HeadParser parser_{{.head_bytes_max = std::size_t{64} << 10, .fields_max = http::fields_capacity}};
    http::FieldSlots slots_;
    http::ResponseHead head_;
    http::BodyDecoder decoder_;
    HttpAnswer answer_;
    bool headed_ = false;
};

asio::awaitable<Result> exchange(tcp::socket& socket, const HttpCall& call) {
    tcp::resolver resolver(socket.get_executor());
    const auto endpoints = co_await resolver.async_resolve(call.host, call.port, asio::use_awaitable);
    co_await asio::async_connect(socket, endpoints, asio::use_awaitable);
    asio::error_code cut;  // a server may have answered before it closed its ears
    co_await asio::async_write(socket, asio::buffer(call.request), asio::redirect_error(asio::use_awaitable, cut));
    AnswerReader reader(call);
    std::array<char, 16 * 1024> bytes;
    for (;;) {
        asio::error_code ended;
        const auto n =
            co_await socket.async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, ended));
        if (ended) co_return reader.end();
        if (auto answer = reader.take({bytes.data(), n})) co_return std::move(*answer);
    }
}

}  // namespace

std::expected<HttpAnswer, HttpFailure> call(const HttpCall& call, Duration timeout) {
    asio::io_context io;
    tcp::socket socket(io);
    Result result = std::unexpected(HttpFailure{HttpFailure::Kind::silent, "no answer in time"});
    asio::co_spawn(io, exchange(socket, call), [&](std::exception_ptr error, Result got) {
        try {
            if (error) std::rethrow_exception(error);
            result = std::move(got);
        } catch (const std::exception& e) {
            result = std::unexpected(HttpFailure{HttpFailure::Kind::unreachable, e.what()});
        }
    });
    io.run_for(timeout);
    return result;
}

}  // namespace etage::cli
