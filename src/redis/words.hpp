#pragma once
// How this module says that something is wrong.

#include <etage/error.hpp>

#include <string>
#include <utility>

namespace etage::redis {

/// Redis, or the way to it, is not what a request needs now. `retryable` = false: only people can change that.
inline Error store_error(std::string what, bool retryable = true) {
    return {Blame::remote_store, Fault::overloaded, retryable, std::move(what)};
}

}  // namespace etage::redis
