#pragma once
// Content that comes from no entry, on its way to one client. Of the walk alone.

#include "flow/walk.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace etage::flow {

struct Walk::Content {
    Uncoded sent;             // borrows the origin's fields
    std::string_view reason;  // "": the usual one
    http::Fields fields;      // as this client sees them, but for what a recoding changes
    std::shared_ptr<net::BodySource> stream;
    base::Ref<const base::Bytes> whole;  // without a stream: all there is, or null
};

}  // namespace etage::flow
