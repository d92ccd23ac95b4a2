#include <gtest/gtest.h>

#include "redis/log_fixture.hpp"

#include <asio/post.hpp>
#include <asio/this_coro.hpp>

namespace etage::redis::testing {

namespace {

Words words_of(const Command& command) {
    ReplyReader reader(std::size_t{1} << 30);
    Words words;
    reader.read({command.bytes().data(), command.bytes().size()}, [&](Reply&& whole) {
        for (Reply& word : whole.elements) words.push_back(std::move(word.text));
        return true;
    });
    return words;
}

Reply record_reply(const StreamId& id, const Words& fields) {
    std::vector<Reply> texts;
    for (const std::string& field : fields) texts.push_back(text_reply(field));
    return array_reply({text_reply(id.text()), array_reply(std::move(texts))});
}

asio::awaitable<void> wait_for(Instant moment) {
    const auto executor = co_await asio::this_coro::executor;
    net::Timer timer(executor);
    timer.expires_at(moment);
    co_await timer.async_wait(net::quietly);
}

std::unexpected<Error> broken(std::string what) {
    return failure(Blame::remote_store, Fault::internal, std::move(what), true);
}

}  // namespace

Reply LogServer::look(const std::string& read) const {
    const bool has_read = records.contains(coherence::parse_stream_id(read).value());
    const StreamId newest = records.empty() ? StreamId{} : records.rbegin()->first;
    const StreamId first = records.empty() ? StreamId{} : records.begin()->first;
    return array_reply({text_reply(generation), text_reply(identity), text_reply(role), text_reply(kind),
                        text_reply(first.text()), text_reply(last.text()),
                        number_reply(static_cast<std::int64_t>(records.size())), number_reply(now_ms()),
                        number_reply(has_read ? 1 : 0), text_reply(newest.text())});
}

Reply LogServer::begin(std::span<const std::string> a) {
    if (generation != a[2]) return number_reply(0);
    if (a[7] == "1") remove_log();
    Reply added = add({a[5], "1", "by", a[6]}, coherence::parse_stream_id(a[4]));
    if (added.is(Reply::Kind::error)) return added;
    generation = coherence::Generation::text(a[3], identity, static_cast<std::uint64_t>(now_ms()), last);
    return number_reply(1);
}

Reply LogServer::census() {
    std::vector<Reply> out{text_reply(generation), text_reply(identity), number_reply(now_ms()),
                           number_reply(live_since.value_or(now_ms()))};
    for (const auto& [instance, state] : live) {
        if (state.second <= now_ms()) continue;
        out.push_back(text_reply(instance));
        out.push_back(text_reply(std::to_string(state.first)));
    }
    return array_reply(std::move(out));
}

/// `a`: keys, then arguments.
Reply LogServer::play(std::string_view source, std::span<const std::string> a) {
    if (source == look_script().source()) return look(a[2]);
    if (source == begin_script().source()) return begin(a);
    if (source == census_script().source()) return census();
    if (source == beat_script().source()) {
        if (role != "master") return error_reply("READONLY You can't write against a read only replica.");
        if (!refusal.empty()) return error_reply(refusal);
        if (!live_since) live_since = now_ms();
        live[a[1]] = {std::stoull(a[2]), now_ms() + std::stoll(a[3])};
        return number_reply(0);
    }
    EXPECT_EQ(source, append_script().source());
    const auto known = coherence::Generation::parse(generation);
    if (generation != a[2] || !known || known->identity != identity || kind != "stream")
        return error_reply("HISTORY it is another one");
    return add({a.begin() + 4, a.end()});
}

Reply LogServer::obey(const Words& words) {
    const std::string& name = words.front();
    if (name == "EVAL") return play(words[1], std::span(words).subspan(3));
    heard.push_back(words);
    if (name == "GET") return text_reply(generation);
    if (name == "HDEL") return number_reply(static_cast<std::int64_t>(live.erase(words[2])));
    if (name == "XADD") return add({words.begin() + 3, words.end()}, coherence::parse_stream_id(words[2]));
    if (name == "XRANGE") {
        const auto at = records.find(coherence::parse_stream_id(words[2]).value());
        if (at == records.end()) return array_reply({});
        return array_reply({record_reply(at->first, at->second)});
    }
    return error_reply("ERR unknown command '" + name + "'");
}

// --- a connection

asio::awaitable<Reply> LogConnection::read(Words words) {
    const auto count = std::stoull(words[2]);
    const auto after = coherence::parse_stream_id(words[7]).value();
    const Instant until = base::read_clock().mono + std::chrono::milliseconds(std::stoll(words[4]));
    std::function<bool()> has_news = [this, after] { return !open_ || server_.last > after; };
    co_await server_.appended.wait_until(until, std::move(has_news));
    std::vector<Reply> records;
    for (auto it = server_.records.upper_bound(after); it != server_.records.end() && records.size() < count; ++it)
        records.push_back(record_reply(it->first, it->second));
    if (records.empty()) co_return Reply{};
    if (records.size() > server_.reply_records_max) open_ = false;
    std::vector<Reply> stream;
    stream.push_back(text_reply(words[6]));
    stream.push_back(array_reply(std::move(records)));
    std::vector<Reply> streams;
    streams.push_back(array_reply(std::move(stream)));
    co_return array_reply(std::move(streams));
}

asio::awaitable<Result<std::vector<Reply>>> LogConnection::exchange(std::vector<Command> commands, Instant deadline) {
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);  // never at once
    std::vector<Reply> replies;
    for (const Command& command : commands) {
        if (!open_ || server_.is_down) co_return broken("connection reset");
        if (server_.is_mute) {
            std::function<bool()> is_closed = [this] { return !open_; };
            co_await server_.appended.wait_until(deadline, std::move(is_closed));
            open_ = false;
            co_return broken("no reply in time");
        }
        Words words = words_of(command);
        if (words.front() == "XREAD")
            replies.push_back(co_await read(std::move(words)));
        else
            replies.push_back(server_.obey(words));
    }
    if (!open_) co_return broken("connection reset");
    co_return replies;
}

// --- the client

asio::awaitable<Result<Reply>> LogClient::answer(Reply reply, Instant deadline) {
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
    if (answers_after > Duration::zero()) co_await wait_for(base::read_clock().mono + answers_after);
    if (!loses_replies) co_return reply;
    co_await wait_for(deadline);
    co_return broken("no reply in time");
}

asio::awaitable<Result<Reply>> LogClient::call(Command command, Instant deadline) {
    if (server->is_down) co_return broken("connection refused");
    Reply reply = server->is_mute ? Reply{} : server->obey(words_of(command));
    if (server->is_mute) {
        co_await wait_for(deadline);
        co_return broken("no reply in time");
    }
    co_return co_await answer(std::move(reply), deadline);
}

asio::awaitable<Result<std::vector<Reply>>> LogClient::call(std::vector<Command> commands, Instant deadline) {
    std::vector<Reply> replies;
    for (Command& command : commands) {
        auto reply = co_await call(std::move(command), deadline);
        if (!reply) co_return std::unexpected(reply.error());
        replies.push_back(std::move(*reply));
    }
    co_return replies;
}

asio::awaitable<Result<Reply>> LogClient::run(const Script& script, std::span<const std::string> keys,
                                              std::span<const std::string> arguments, Instant deadline) {
    if (server->is_down) co_return broken("connection refused");
    if (server->is_mute) {
        co_await wait_for(deadline);
        co_return broken("no reply in time");
    }
    std::vector<std::string> all(keys.begin(), keys.end());
    all.insert(all.end(), arguments.begin(), arguments.end());
    Reply reply = server->play(script.source(), all);
    co_return co_await answer(std::move(reply), deadline);
}

asio::awaitable<Result<std::shared_ptr<Connection>>> LogClient::connect(std::string_view, Instant deadline) {
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
    if (server->is_down) co_return broken("connection refused");
    if (server->is_mute) {
        co_await wait_for(deadline);
        co_return broken("no greeting in time");
    }
    ++server->connections;
    auto made = std::make_shared<LogConnection>(*server);
    connection = made;
    co_return std::shared_ptr<Connection>(made);
}

}  // namespace etage::redis::testing
