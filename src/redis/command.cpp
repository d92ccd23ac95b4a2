#include "redis/command.hpp"

#include "redis/resp.hpp"

#include <cstddef>
#include <utility>

namespace etage::redis {

namespace {

template <class Words>
std::string written(const Words& words) {
    constexpr std::size_t around_word = 16;  // "$", digits, twice CR LF; enough for words below 10^11 bytes
    std::size_t bytes = around_word;
    for (const auto& word : words) bytes += word.size() + around_word;
    std::string out;
    out.reserve(bytes);
    append_word_count(out, words.size());
    for (const auto& word : words) append_word(out, word);
    return out;
}

}  // namespace

Command::Command(std::string_view key, std::initializer_list<std::string_view> words)
    : key_(key), bytes_(written(words)) {}

Command::Command(std::string_view key, std::span<const std::string> words) : key_(key), bytes_(written(words)) {}

Command::Command(std::string_view verb, std::string key)
    : key_(std::move(key)), bytes_(written(std::initializer_list<std::string_view>{verb, key_})) {}

}  // namespace etage::redis
