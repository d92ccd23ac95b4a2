#include "flow/shared_body.hpp"

#include <algorithm>

namespace etage::flow {

class SharedBody::Reader : public net::BodySource {
public:
    explicit Reader(std::shared_ptr<SharedBody> body) : body_(std::move(body)) {}

    ~Reader() override {
        {
            const std::lock_guard lock(body_->mutex_);
            body_->readers_.erase(this);
            body_->drop_passed();
        }
        body_->room_.notify_all();
    }

    asio::awaitable<Result<std::string_view>> read() override {
        co_await body_->arrived_.wait_until(Instant::max(), [this] { return ready(); });
        Result<std::string_view> result = std::string_view{};
        {
            const std::lock_guard lock(body_->mutex_);
            if (next_ < body_->first_ + body_->pieces_.size()) {
                current_ = body_->pieces_[static_cast<std::size_t>(next_ - body_->first_)];
                ++next_;
                body_->drop_passed();
                result = current_->view();
            } else if (body_->error_) {
                result = std::unexpected(*body_->error_);
            } else if (cancelled_) {
                result = failure(Blame::client, Fault::cancelled, "the reader has left");
            }
        }
        body_->room_.notify_all();
        co_return result;
    }

    void cancel() noexcept override {
        {
            const std::lock_guard lock(body_->mutex_);
            cancelled_ = true;
        }
        body_->arrived_.notify_all();
    }

    Position next() const noexcept { return next_; }

private:
    bool ready() const {
        const std::lock_guard lock(body_->mutex_);
        return next_ < body_->first_ + body_->pieces_.size() || body_->finished_ || body_->error_ || cancelled_;
    }

    std::shared_ptr<SharedBody> body_;
    base::Ref<const base::Bytes> current_;
    Position next_ = 0;
    bool cancelled_ = false;  // under the mutex
};

asio::awaitable<bool> SharedBody::append(std::string_view piece) {
    co_await room_.wait_until(Instant::max(), [this] { return has_room(); });
    bool wanted = true;
    {
        const std::lock_guard lock(mutex_);
        pieces_.push_back(base::make_bytes(std::string(piece)));
        bytes_ += piece.size();
        held_ += piece.size();
        if (!keeping_) {
            wanted = !readers_.empty();
            drop_passed();
        }
    }
    arrived_.notify_all();
    co_return wanted;
}

bool SharedBody::has_room() const {
    const std::lock_guard lock(mutex_);
    return keeping_ || readers_.empty() || held_ < window_bytes_max;
}

void SharedBody::drop_passed() {
    if (keeping_) return;
    Position slowest = first_ + pieces_.size();
    for (const Reader* reader : readers_) slowest = std::min(slowest, reader->next());
    for (; first_ < slowest; ++first_) {
        held_ -= pieces_.front()->size();
        pieces_.pop_front();
    }
}

void SharedBody::finish() {
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
    }
    arrived_.notify_all();
}

void SharedBody::fail(Error error) {
    {
        const std::lock_guard lock(mutex_);
        if (finished_) return;  // whole is whole: who reads later must not be told otherwise
        error_ = std::move(error);
    }
    arrived_.notify_all();
}

void SharedBody::stop_keeping() {
    const std::lock_guard lock(mutex_);
    keeping_ = false;
    drop_passed();
}

std::size_t SharedBody::size() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

std::string SharedBody::whole() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    all.reserve(bytes_);
    for (const auto& piece : pieces_) all += piece->view();
    return all;
}

std::shared_ptr<net::BodySource> SharedBody::reader() {
    auto reader = std::make_shared<Reader>(shared_from_this());
    const std::lock_guard lock(mutex_);
    if (!keeping_) return nullptr;
    readers_.insert(reader.get());
    return reader;
}

}  // namespace etage::flow
