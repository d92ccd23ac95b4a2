#include "gateway/config_toml.hpp"

#include <algorithm>
#include <utility>

#include <toml++/toml.h>

namespace etage::gateway {
namespace {

class Planter {
public:
    explicit Planter(std::string_view file_name) : file_(file_name) {}

    Node plant(const toml::node& from, std::string name) const {
        Node node;
        node.where = place(from.source());
        node.name = std::move(name);
        if (const auto* table = from.as_table())
            node.value = members(*table, node.name);
        else if (const auto* list = from.as_array())
            node.value = elements(*list, node.name);
        else if (const auto* text = from.as_string())
            node.value = text->get();
        else if (const auto* flag = from.as_boolean())
            node.value = flag->get();
        else if (const auto* whole = from.as_integer())
            node.value = whole->get();
        else if (const auto* real = from.as_floating_point())
            node.value = real->get();
        else
            node.value = Node::Date{};
        return node;
    }

    std::string place(const toml::source_region& region) const {
        return file_ + ":" + std::to_string(region.begin.line) + ":" + std::to_string(region.begin.column);
    }

private:
    /// In file order, which the library's map has forgotten.
    Node::Table members(const toml::table& table, const std::string& parent) const {
        std::vector<std::pair<const toml::key*, const toml::node*>> ordered;
        for (const auto& [key, value] : table) ordered.emplace_back(&key, &value);
        std::ranges::sort(
            ordered, [](const auto& a, const auto& b) { return a.first->source().begin < b.first->source().begin; });
        Node::Table out;
        for (const auto& [key, value] : ordered) {
            const std::string text(key->str());
            out.push_back({text, place(key->source()), plant(*value, child_name(parent, text, *value))});
        }
        return out;
    }

    Node::List elements(const toml::array& list, const std::string& name) const {
        Node::List out;
        for (const auto& element : list) out.push_back(plant(element, name));
        return out;
    }

    /// "[server]", "[[route]]", "[server].threads", "[[route]].cache.ttl".
    static std::string child_name(const std::string& parent, const std::string& key, const toml::node& value) {
        if (!parent.empty()) return parent + "." + key;
        if (value.is_table()) return "[" + key + "]";
        return value.is_array_of_tables() ? "[[" + key + "]]" : key;
    }

    std::string file_;
};

}  // namespace

std::optional<Node> parse_toml(std::string_view text, std::string_view file_name, Problems& problems) {
    const Planter planter(file_name);
    try {  // the packaged library is built with exceptions; they end here
        return planter.plant(toml::parse(text), "");
    } catch (const toml::parse_error& error) {
        problems.add(planter.place(error.source()), error.description());
        return std::nullopt;
    }
}

}  // namespace etage::gateway
