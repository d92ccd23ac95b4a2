#pragma once
// The article's API: posts, read through the cache and invalidated when they are written.

#include "posts_store.hpp"

#include <etage/server.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace etage::demo {

/// GET /posts, GET /posts/{id}, POST /posts, PUT, PATCH and DELETE /posts/{id}. The store outlives the server's run().
void declare_posts(Server& server, PostsStore& store);

Response list_posts(PostsStore& store, int limit, std::int64_t offset, const std::optional<std::string>& category);
Response get_post(PostsStore& store, std::int64_t id);
Response create_post(PostsStore& store, const Request& request);
Response replace_post(PostsStore& store, const Request& request, std::int64_t id);
Response patch_post(PostsStore& store, const Request& request, std::int64_t id);
Response delete_post(PostsStore& store, std::int64_t id);

}  // namespace etage::demo
