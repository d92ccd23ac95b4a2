#pragma once
// One command, written as RESP the moment it is made.

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace etage::redis {

class Command {
public:
    /// `key` decides which node of a cluster gets it; empty: any. It is not added to the words.
    Command(std::string_view key, std::initializer_list<std::string_view> words);
    Command(std::string_view key, std::span<const std::string> words);
    /// Two words, the second of which is the key.
    Command(std::string_view verb, std::string key);

    const std::string& key() const noexcept { return key_; }
    const std::string& bytes() const noexcept { return bytes_; }

private:
    std::string key_;
    std::string bytes_;
};

}  // namespace etage::redis
