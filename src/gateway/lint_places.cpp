#include "gateway/lint_places.hpp"

#include "gateway/config_toml.hpp"

#include <algorithm>
#include <charconv>

namespace etage::gateway {

namespace {

struct Place {
    const Node* node = nullptr;
    std::string_view where;
};

Place child(const Node& node, std::string_view step) {
    if (const auto* table = std::get_if<Node::Table>(&node.value)) {
        const auto found = std::ranges::find(*table, step, &Member::key);
        if (found != table->end()) return {&found->node, found->where};
    }
    if (const auto* list = std::get_if<Node::List>(&node.value)) {
        std::size_t index = list->size();
        std::from_chars(step.data(), step.data() + step.size(), index);
        if (index < list->size()) return {&(*list)[index], (*list)[index].where};
    }
    return {};
}

}  // namespace

RoutePlaces::RoutePlaces(const std::optional<SourceText>& file) {
    if (!file) return;
    Problems told_before;
    auto document = parse_toml(file->text, file->name, told_before);
    if (!document) return;
    if (const Place routes = child(*document, "route"); routes.node != nullptr) routes_ = *routes.node;
}

std::string RoutePlaces::of(std::size_t route, std::initializer_list<std::string_view> path) const {
    if (!routes_) return {};
    Place place = child(*routes_, std::to_string(route));
    for (const std::string_view step : path) {
        if (place.node == nullptr) break;
        const Place next = child(*place.node, step);
        if (next.node == nullptr) break;
        place = next;
    }
    return std::string(place.where);
}

}  // namespace etage::gateway
