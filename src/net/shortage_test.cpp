#include "net/shortage.hpp"

#include <asio/error.hpp>

#include <gtest/gtest.h>

#include <cerrno>

namespace etage::net {
namespace {

TEST(Shortage, IsOfDescriptorsAndOfMemory) {
    for (const int number : {EMFILE, ENFILE, ENOBUFS, ENOMEM})
        EXPECT_TRUE(is_shortage(asio::error_code(number, asio::system_category()))) << number;
    EXPECT_TRUE(is_shortage(asio::error::no_descriptors));
}

TEST(Shortage, WhatThePeerDidIsNone) {
    for (const int number : {0, ECONNREFUSED, ECONNABORTED, ETIMEDOUT, EAGAIN, EINTR})
        EXPECT_FALSE(is_shortage(asio::error_code(number, asio::system_category()))) << number;
    EXPECT_FALSE(is_shortage(asio::error::eof));
}

}  // namespace
}  // namespace etage::net
