#include "flow/coded_body.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

namespace etage::flow {
namespace {

using codec::Format;

constexpr Format formats[] = {Format::gzip, Format::brotli, Format::zstd};

/// Says its pieces, then ends, or fails.
class Pieces : public net::BodySource {
public:
    explicit Pieces(std::vector<std::string> pieces, bool cut = false) : pieces_(std::move(pieces)), cut_(cut) {}

    asio::awaitable<Result<std::string_view>> read() override {
        EXPECT_FALSE(cut_ && asked > pieces_.size()) << "asked again after an error";
        if (++asked <= pieces_.size()) co_return std::string_view(pieces_[asked - 1]);
        if (cut_) co_return failure(Blame::origin, Fault::origin_incomplete, "cut");
        co_return std::string_view{};
    }
    void cancel() noexcept override { ++cancelled; }

    std::size_t asked = 0;
    int cancelled = 0;

private:
    std::vector<std::string> pieces_;
    bool cut_;
};

/// A permit that says whether it is held.
std::shared_ptr<void> permit() { return std::make_shared<int>(); }

class CodedBodies : public ::testing::Test {
protected:
    ~CodedBodies() override { threads_.join(); }

    CodedBody::Workplace place(std::shared_ptr<void> held = nullptr) { return {threads_, std::move(held)}; }
    std::shared_ptr<EncodedBody> encoded(std::shared_ptr<Pieces> pieces, Format format, bool prompt) {
        return std::make_shared<EncodedBody>(std::move(pieces), place(), format, prompt);
    }
    std::shared_ptr<DecodedBody> decoded(std::shared_ptr<net::BodySource> content, Format format,
                                         codec::DecodeLimits limits = {64 << 20, 2000}) {
        return std::make_shared<DecodedBody>(std::move(content), place(), format, limits,
                                             [this](std::string_view why) { complaints.emplace_back(why); });
    }

    Result<std::string> read_one(net::BodySource& body) {
        Result<std::string> out;
        const auto play = [&]() -> asio::awaitable<void> {
            const auto piece = co_await body.read();
            if (piece)
                out = std::string(*piece);
            else
                out = std::unexpected(piece.error());
        };
        asio::co_spawn(io_, play, [](const std::exception_ptr& e) { ASSERT_FALSE(e); });
        io_.restart();
        io_.run();
        return out;
    }
    /// Until the end; an error is the result.
    Result<std::string> read_all(net::BodySource& body) {
        std::string all;
        for (;;) {
            auto piece = read_one(body);
            if (!piece) return piece;
            if (piece->empty()) return all;
            all += *piece;
            most_at_once = std::max(most_at_once, piece->size());
        }
    }

    std::vector<std::string> complaints;
    std::size_t most_at_once = 0;

private:
    asio::thread_pool threads_{1};
    asio::io_context io_;
};

std::string text_of(std::size_t bytes) {
    std::string out;
    for (int i = 0; out.size() < bytes; ++i) out += "line " + std::to_string(i * 7919) + "\n";
    out.resize(bytes);
    return out;
}

std::string whole(Format format, const std::string& content) {
    std::string out;
    auto encoder = codec::StreamEncoder::make(format, codec::Effort::fast);
    EXPECT_TRUE(encoder.append(out, content) && encoder.finish(out));
    return out;
}

TEST_F(CodedBodies, WhatIsEncodedDecodesToTheSame) {
    const std::vector<std::string> pieces = {"a", text_of(10'000), text_of(300'000), "the end"};
    for (const Format format : formats) {
        for (const bool prompt : {false, true}) {
            const auto body = decoded(encoded(std::make_shared<Pieces>(pieces), format, prompt), format);
            const auto back = read_all(*body);
            EXPECT_EQ(back.value_or("failed"), pieces[0] + pieces[1] + pieces[2] + pieces[3]);
            EXPECT_TRUE(read_one(*body).value_or("more").empty()) << "the end stays the end";
        }
    }
    EXPECT_TRUE(complaints.empty());
}

TEST_F(CodedBodies, ContentOfAnyPiecesSurvivesThereAndBack) {
    ASSERT_TRUE(rc::check([this] {
        const auto sizes = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 9000));
        std::vector<std::string> pieces;
        std::string all;
        for (const std::size_t size : sizes) all += pieces.emplace_back(text_of(size));
        const Format format = *rc::gen::elementOf(std::vector<Format>(std::begin(formats), std::end(formats)));
        const bool prompt = *rc::gen::arbitrary<bool>();
        const auto back = read_all(*decoded(encoded(std::make_shared<Pieces>(pieces), format, prompt), format));
        RC_ASSERT(back.has_value());
        RC_ASSERT(*back == all);
    }));
}

TEST_F(CodedBodies, NoContentIsNoContentInEachCoding) {
    for (const Format format : formats) {
        const auto coded = read_all(*encoded(std::make_shared<Pieces>(std::vector<std::string>{}), format, true));
        ASSERT_TRUE(coded);
        EXPECT_FALSE(coded->empty());
        EXPECT_EQ(read_all(*decoded(std::make_shared<Pieces>(std::vector{*coded}), format)).value_or("x"), "");
        EXPECT_EQ(read_all(*decoded(std::make_shared<Pieces>(std::vector<std::string>{}), format)).value_or("x"), "");
    }
    EXPECT_TRUE(complaints.empty());
}

TEST_F(CodedBodies, PromptlyEachPieceCanBeReadBeforeTheNextIsAskedFor) {
    for (const Format format : formats) {
        const auto source = std::make_shared<Pieces>(std::vector<std::string>{"one", "two", text_of(100'000)});
        const auto body = encoded(source, format, true);
        auto decoder = codec::StreamDecoder::make(format, {1 << 20, 1000});
        for (const std::size_t n : {1U, 2U}) {
            const auto piece = read_one(*body);
            std::string out;
            ASSERT_TRUE(piece && decoder.append(out, *piece));
            EXPECT_EQ(out, n == 1 ? "one" : "two");
            EXPECT_EQ(source->asked, n);
        }
    }
}

TEST_F(CodedBodies, WhatIsCutIsNeverFinished) {
    for (const Format format : formats) {
        for (const bool prompt : {false, true}) {
            const std::vector<std::string> pieces = {text_of(70'000), "and then"};
            const auto body = encoded(std::make_shared<Pieces>(pieces, true), format, prompt);
            std::string coded;
            auto piece = read_one(*body);
            for (; piece && !piece->empty(); piece = read_one(*body)) coded += *piece;
            ASSERT_FALSE(piece);
            EXPECT_EQ(piece.error().fault, Fault::origin_incomplete);
            EXPECT_FALSE(read_one(*body)) << "an error is the last word";
            auto decoder = codec::StreamDecoder::make(format, {1 << 20, 1000});
            std::string out;
            EXPECT_TRUE(decoder.append(out, coded));
            EXPECT_FALSE(decoder.finished());
        }
    }
}

TEST_F(CodedBodies, EncodedContentThatEndsEarlyIsAnError) {
    for (const Format format : formats) {
        const std::string coded = whole(format, text_of(100'000));
        complaints.clear();
        const auto body = decoded(std::make_shared<Pieces>(std::vector{coded.substr(0, coded.size() - 1)}), format);
        const auto all = read_all(*body);
        ASSERT_FALSE(all);
        EXPECT_EQ(all.error().fault, Fault::origin_incomplete);
        EXPECT_EQ(all.error().blame, Blame::origin);
        EXPECT_FALSE(read_one(*body));
        EXPECT_EQ(complaints, std::vector<std::string>{"encoded content was cut short"});
    }
}

TEST_F(CodedBodies, DamageIsAnError) {
    for (const Format format : formats) {
        complaints.clear();
        const auto all = read_all(*decoded(
            std::make_shared<Pieces>(std::vector{whole(format, text_of(5000)) + std::string(99, '\xff')}), format));
        ASSERT_FALSE(all);
        EXPECT_EQ(all.error().fault, Fault::origin_protocol);
        EXPECT_EQ(complaints, std::vector<std::string>{"encoded content is damaged"});
    }
}

TEST_F(CodedBodies, ABombStopsAtItsCapAndIsMadePieceByPiece) {
    const std::string zeros(32 << 20, '0');
    for (const Format format : formats) {
        const std::string bomb = whole(format, zeros);
        for (const codec::DecodeLimits limits : {codec::DecodeLimits{2 << 20, 1'000'000}, {64 << 20, 20}}) {
            complaints.clear();
            most_at_once = 0;
            const auto all = read_all(*decoded(std::make_shared<Pieces>(std::vector{bomb}), format, limits));
            ASSERT_FALSE(all);
            EXPECT_EQ(complaints, std::vector<std::string>{"decoded content is too large"});
            EXPECT_LE(most_at_once, CodedBody::slice_bytes_max);
        }
        const auto all = read_all(*decoded(std::make_shared<Pieces>(std::vector{bomb}), format, {64 << 20, 1'000'000}));
        EXPECT_TRUE(all && *all == zeros);
        EXPECT_LE(most_at_once, CodedBody::slice_bytes_max);
    }
}

TEST_F(CodedBodies, NothingIsReadAheadOfWhoTakesIt) {
    const auto source = std::make_shared<Pieces>(std::vector<std::string>(100, text_of(200'000)));
    const auto body = encoded(source, Format::gzip, false);
    for (std::size_t i = 1; i < 10; ++i) {
        ASSERT_TRUE(read_one(*body));
        EXPECT_LE(source->asked, i);
    }
}

TEST_F(CodedBodies, APermitIsHeldAsLongAsTheBody) {
    const auto held = permit();
    auto body = std::make_shared<EncodedBody>(std::make_shared<Pieces>(std::vector<std::string>{"x"}), place(held),
                                              Format::gzip, false);
    EXPECT_EQ(held.use_count(), 2);
    read_all(*body);
    EXPECT_EQ(held.use_count(), 2);
    body.reset();
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(CodedBodies, WhoeverCancelsCancelsTheSource) {
    const auto source = std::make_shared<Pieces>(std::vector<std::string>{});
    encoded(source, Format::zstd, true)->cancel();
    EXPECT_EQ(source->cancelled, 1);
}

}  // namespace
}  // namespace etage::flow
