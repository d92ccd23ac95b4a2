#pragma once
// What the system had no room for: that is ours to bear, and says nothing of whoever was to be reached.

#include <asio/error_code.hpp>

#include <cerrno>

namespace etage::net {

/// No file descriptors (EMFILE, ENFILE), no memory for a socket (ENOBUFS, ENOMEM).
inline bool is_shortage(const asio::error_code& error) noexcept {
    if (error.category() != asio::system_category()) return false;
    const int number = error.value();
    return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

}  // namespace etage::net
