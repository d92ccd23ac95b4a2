#pragma once
// Content that is here, and after it, if there is any, what still comes.

#include "base/bytes.hpp"
#include "net/body_source.hpp"

#include <memory>
#include <utility>

namespace etage::net {

class WholeBody final : public BodySource {
public:
    explicit WholeBody(base::Ref<const base::Bytes> content, std::shared_ptr<BodySource> rest = nullptr)
        : content_(std::move(content)), rest_(std::move(rest)) {}

    asio::awaitable<Result<std::string_view>> read() override {
        if (!std::exchange(given_, true) && content_->size() > 0) co_return content_->view();
        if (rest_) co_return co_await rest_->read();
        co_return std::string_view{};
    }

private:
    base::Ref<const base::Bytes> content_;
    std::shared_ptr<BodySource> rest_;
    bool given_ = false;
};

}  // namespace etage::net
