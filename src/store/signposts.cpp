#include "store/signposts.hpp"

#include <algorithm>

namespace etage::store {

Signposts::Signposts(std::size_t signposts)
    : sets_per_part_(std::max<std::size_t>(signposts / ways / parts, 1)), parts_(std::make_unique<Part[]>(parts)) {}

std::optional<base::Hash128> Signposts::find(const base::Hash128& name) const noexcept {
    Part& part = part_of(name);
    const std::scoped_lock lock(part.mutex);
    if (!part.sets) return std::nullopt;
    for (const Post& post : set_of(part, name).posts)
        if (post.name == name) return post.key;
    return std::nullopt;
}

void Signposts::put(const base::Hash128& name, const base::Hash128& key) {
    Part& part = part_of(name);
    const std::scoped_lock lock(part.mutex);
    if (!part.sets) part.sets = std::make_unique<Set[]>(sets_per_part_);
    used_.store(true, std::memory_order_relaxed);
    Set& set = set_of(part, name);
    const auto same = std::ranges::find(set.posts, name, &Post::name);
    if (same != set.posts.end()) return static_cast<void>(same->key = key);
    set.posts[set.oldest] = {name, key};
    set.oldest = (set.oldest + 1) % ways;
}

}  // namespace etage::store
