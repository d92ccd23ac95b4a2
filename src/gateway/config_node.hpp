#pragma once
// What a source of configuration said, before anybody asked what it means: a small tree that remembers where every
// value stands, so that an error can point at it. TOML files, environment, .env and flags all become such nodes.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace etage::gateway {

struct Member;

struct Node {
    using List = std::vector<Node>;
    using Table = std::vector<Member>;
    struct Date {};  // TOML has them; nothing of ours is one

    std::variant<std::string, bool, std::int64_t, double, Date, List, Table> value;
    std::string where;     // "etage.toml:12:3", ".env:3", "environment", "command line"
    std::string name;      // "[server].threads", "ETAGE_SERVER_THREADS", "--threads"
    bool untyped = false;  // text from outside TOML, where "8" may be a number and "a,b" a list
};

struct Member {
    std::string key;
    std::string where;  // of the key
    Node node;
};

/// Everything that is wrong, one line each.
class Problems {
public:
    /// "etage.toml:12:9: [server].threads: <what>"
    void add(const Node& node, std::string_view what) { add(node.where, node.name + ": " + std::string(what)); }
    void add(std::string_view where, std::string_view what) {
        lines_.push_back(where.empty() ? std::string(what) : std::string(where) + ": " + std::string(what));
    }
    bool empty() const noexcept { return lines_.empty(); }
    const std::vector<std::string>& lines() const noexcept { return lines_; }
    /// All lines, each with its newline.
    std::string text() const;

private:
    std::vector<std::string> lines_;
};

}  // namespace etage::gateway
