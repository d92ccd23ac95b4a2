#include "flow/coded_body.hpp"

#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>

#include <new>
#include <utility>

namespace etage::flow {

namespace {

std::unexpected<Error> no_memory() { return failure(Blame::us, Fault::internal, "no memory for a content coding"); }

}  // namespace

asio::awaitable<Result<std::string_view>> CodedBody::read() {
    if (failed_) co_return std::unexpected(*failed_);
    Result<std::string_view> piece = std::string_view{};
    try {
        piece = co_await make_piece();
    } catch (const std::bad_alloc&) {
        piece = no_memory();
    }
    if (!piece) failed_ = piece.error();
    co_return piece;
}

asio::awaitable<Result<std::string_view>> CodedBody::make_piece() {
    out_.clear();
    while (out_.empty() && (!ended_ || more_)) {
        Result<void> done;
        if (in_.empty() && !more_) done = co_await take_piece();
        if (done) done = co_await work_somewhere();
        if (!done) co_return std::unexpected(std::move(done.error()));
    }
    co_return std::string_view(out_);
}

asio::awaitable<Result<void>> CodedBody::take_piece() {
    auto piece = co_await content_->read();
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    in_ = *piece;
    ended_ = in_.empty();
    co_return Result<void>{};
}

asio::awaitable<Result<void>> CodedBody::work_somewhere() {
    if (in_.size() <= at_once_bytes_max) co_return work();
    Result<void> done;
    const auto job = [&]() -> asio::awaitable<void> {
        done = work();
        co_return;
    };
    co_await asio::co_spawn(workplace_.threads, job, asio::use_awaitable);
    co_return done;
}

Result<void> EncodedBody::work() {
    const auto slice = in_.substr(0, slice_bytes_max);
    in_.remove_prefix(slice.size());
    bool done = ended_ ? encoder_.finish(out_) : encoder_.append(out_, slice);
    if (done && prompt_ && !ended_ && in_.empty()) done = encoder_.flush(out_);
    if (!done) return no_memory();
    return {};
}

Result<void> DecodedBody::work() {
    if (ended_) {
        if (any_ && !decoder_.finished()) return refuse(Fault::origin_incomplete, "encoded content was cut short");
        return {};
    }
    any_ = true;
    const auto step = decoder_.step(out_, in_, slice_bytes_max);
    if (step) {
        in_.remove_prefix(step->consumed);
        more_ = step->more;
        return {};
    }
    switch (step.error()) {
        case codec::DecodeFault::no_memory: return no_memory();
        case codec::DecodeFault::too_large: return refuse(Fault::origin_protocol, "decoded content is too large");
        case codec::DecodeFault::corrupt: break;
    }
    return refuse(Fault::origin_protocol, "encoded content is damaged");
}

Result<void> DecodedBody::refuse(Fault fault, std::string_view why) {
    if (complain_) complain_(why);
    return failure(Blame::origin, fault, std::string(why));
}

}  // namespace etage::flow
