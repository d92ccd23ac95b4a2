#pragma once
// From nodes to values. Every reader returns nothing after it has said what is wrong; the caller keeps its default and
// goes on, so that one run reports every mistake.

#include "gateway/config_node.hpp"
#include "gateway/units.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace etage::gateway {

std::optional<std::string> read_text(const Node&, Problems&);
std::optional<bool> read_flag(const Node&, Problems&);
std::optional<std::uint64_t> read_count(const Node&, Problems&, std::uint64_t min, std::uint64_t max);
std::optional<double> read_number(const Node&, Problems&, double min);
std::optional<Duration> read_duration(const Node&, Problems&, Duration min = Duration::zero());
std::optional<std::uint64_t> read_size(const Node&, Problems&, std::uint64_t min,
                                       std::uint64_t max = std::numeric_limits<std::int64_t>::max());

/// A list of texts as nodes, so that each keeps its place. One text is a list of one; outside TOML commas separate.
std::optional<std::vector<Node>> read_nodes(const Node&, Problems&);
std::optional<std::vector<std::string>> read_list(const Node&, Problems&);

/// One of some words.
template <class E>
struct Word {
    std::string_view text;
    E value;
};
std::optional<std::size_t> read_word(const Node&, Problems&, std::span<const std::string_view> words);
template <class E, std::size_t N>
std::optional<E> read_word(const Node& node, Problems& problems, const Word<E> (&words)[N]) {
    std::array<std::string_view, N> texts;
    for (std::size_t i = 0; i < N; ++i) texts[i] = words[i].text;
    const auto index = read_word(node, problems, texts);
    return index ? std::optional(words[*index].value) : std::nullopt;
}

template <class T, class V>
void keep(T& to, std::optional<V> value) {
    if (value) to = static_cast<T>(std::move(*value));
}
template <class T, class V>
void keep(std::optional<T>& to, std::optional<V> value) {
    if (value) to = std::move(*value);
}

/// One key of a table and how it changes what the table describes.
template <class T>
struct Key {
    std::string_view name;
    void (*set)(T& to, const Node& node, Problems& problems);
};

/// `; did you mean "ttl"?`, or the list of all when none is near.
std::string suggestion(std::string_view wrong, std::span<const std::string_view> candidates);

/// The members of a table node; says what is wrong and returns nothing when it is none.
const Node::Table* read_members(const Node& node, Problems& problems);
void unknown_key(const Member& member, const Node& table, std::span<const std::string_view> valid, Problems& problems);

template <class T, std::size_t N>
constexpr std::array<std::string_view, N> names_of(const Key<T> (&keys)[N]) {
    std::array<std::string_view, N> names;
    for (std::size_t i = 0; i < N; ++i) names[i] = keys[i].name;
    return names;
}

/// Reads a whole table; members that are no key are reported.
template <class T, std::size_t N>
void read_table(T& to, const Node& node, Problems& problems, const Key<T> (&keys)[N]) {
    const Node::Table* members = read_members(node, problems);
    if (members == nullptr) return;
    for (const Member& member : *members) {
        std::size_t i = 0;
        while (i < N && keys[i].name != member.key) ++i;
        if (i < N)
            keys[i].set(to, member.node, problems);
        else
            unknown_key(member, node, names_of(keys), problems);
    }
}

}  // namespace etage::gateway
