#pragma once
// What answers are made from, and what a change touches: the whole of the demo's cache invalidation.
//
//   post:7            whatever shows post 7, or says that there is none
//   posts:all         every page of the unfiltered list: which posts there are, and how many
//   posts:cat:tech    every page of the list of tech posts: likewise
//   posts:show:tech   whatever shows a tech post, for whoever wants all of that gone at once
//
// An answer changes exactly when one of its first three kinds of tags is touched: a new title touches the pages that
// show the post and nothing else, a new post the pages of its category and of the unfiltered list. A test holds them to
// it.

#include "posts_store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::demo {

using Tags = std::vector<std::string>;

std::string post_tag(std::int64_t id);
std::string list_tag(const std::optional<std::string>& category);
std::string show_tag(std::string_view category);

/// Of a page of the list of `category`, or of the unfiltered list.
Tags page_tags(const Page& page, const std::optional<std::string>& category);
/// Of the answer about one post.
Tags post_tags(const Post& post);

/// Touched by a post that was not there before, or is not any more.
Tags membership_tags(const Post& post);
/// Touched by a change; none when nothing has changed.
Tags change_tags(const Change& change);
/// Whatever shows a post of the category or lists it.
Tags category_tags(const std::string& category);

}  // namespace etage::demo
