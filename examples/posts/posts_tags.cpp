#include "posts_tags.hpp"

#include <set>

namespace etage::demo {

std::string post_tag(std::int64_t id) { return "post:" + std::to_string(id); }

std::string list_tag(const std::optional<std::string>& category) {
    return category ? "posts:cat:" + *category : "posts:all";
}

std::string show_tag(std::string_view category) { return "posts:show:" + std::string(category); }

Tags page_tags(const Page& page, const std::optional<std::string>& category) {
    Tags tags{list_tag(category)};
    std::set<std::string_view> shown;
    for (const Post& post : page.items) {
        tags.push_back(post_tag(post.id));
        if (shown.insert(post.category).second) tags.push_back(show_tag(post.category));
    }
    return tags;
}

Tags post_tags(const Post& post) { return {post_tag(post.id), show_tag(post.category)}; }

Tags membership_tags(const Post& post) { return {post_tag(post.id), list_tag(std::nullopt), list_tag(post.category)}; }

Tags change_tags(const Change& change) {
    if (change.before == change.after) return {};
    Tags tags{post_tag(change.after.id)};
    if (change.before.category != change.after.category) {
        tags.push_back(list_tag(change.before.category));
        tags.push_back(list_tag(change.after.category));
    }
    return tags;
}

Tags category_tags(const std::string& category) { return {list_tag(category), show_tag(category)}; }

}  // namespace etage::demo
