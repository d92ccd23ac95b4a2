#include "flow/origin.hpp"

namespace etage::flow {

asio::awaitable<Result<void>> read_whole(OriginResponse& response) {
    while (response.body) {
        const auto piece = co_await response.body->read();
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) break;
        response.content += *piece;
    }
    response.body = nullptr;
    response.content_length = response.content.size();
    co_return Result<void>{};
}

}  // namespace etage::flow
