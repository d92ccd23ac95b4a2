#pragma once
// Where the keys of routes stand in the file. A Config has forgotten; the file is read once more, for positions alone.

#include "gateway/config_load.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace etage::gateway {

class RoutePlaces {
public:
    /// Without a file, or with one that is no TOML, every place is empty.
    explicit RoutePlaces(const std::optional<SourceText>& file);

    /// "etage.toml:12:9": the key at the end of `path` in the route of that number; where the path ends early, the last
    /// there is, at least the line of the route. A number is an element of a list.
    std::string of(std::size_t route, std::initializer_list<std::string_view> path) const;

private:
    std::optional<Node> routes_;
};

}  // namespace etage::gateway
