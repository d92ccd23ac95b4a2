#include "posts_api.hpp"

#include "post_input.hpp"
#include "posts_tags.hpp"

#include <nlohmann/json.hpp>

namespace etage::demo {

namespace {

using namespace std::chrono_literals;
using json = nlohmann::ordered_json;

json json_of(const Post& post) { return {{"id", post.id}, {"title", post.title}, {"category", post.category}}; }

Response not_found(std::int64_t id) {
    return Response::problem(404, "", "there is no post " + std::to_string(id)).tag(post_tag(id));
}

Response with_tags(Response response, const Tags& tags) {
    for (const std::string& tag : tags) response.tag(tag);
    return response;
}

/// Called after the commit: a list that is read from now on shows the change.
Response after_writing(Response response, const Tags& touched) {
    for (const std::string& tag : touched) response.invalidate(tag);
    return response;
}

Response changed(const std::optional<Change>& change, std::int64_t id) {
    if (!change) return not_found(id);
    return after_writing(Response::json(json_of(change->after)), change_tags(*change));
}

RoutePolicy list_policy() {
    return {.cache = {.ttl = 60s, .stale_while_revalidate = 30s, .stale_if_error = 10min, .allow_cookie = true},
            .key = {.query_mode = KeyPolicy::Query::allow, .query = {"limit", "offset", "category"}},
            .client = {.expose_tags = true}};
}

RoutePolicy detail_policy() {
    return {.cache = {.ttl = 60s,
                      .stale_while_revalidate = 30s,
                      .stale_if_error = 10min,
                      .negative_ttl = 10s,
                      .allow_cookie = true},
            .key = {.query_mode = KeyPolicy::Query::allow},
            .client = {.expose_tags = true}};
}

/// A cache in front of this process learns from these answers what to forget.
RoutePolicy write_policy() { return {.client = {.expose_tags = true}}; }

}  // namespace

void declare_posts(Server& server, PostsStore& store) {
    const auto id = path<std::int64_t>("id").at_least(1);
    server.route("GET /posts", list_policy(), query<int>("limit").range(1, 100).or_else(20),
                 query<std::int64_t>("offset").at_least(0).or_else(0),
                 query<std::optional<std::string>>("category").length(1, category_bytes_max),
                 [&store](int limit, std::int64_t offset, const std::optional<std::string>& category) {
                     return list_posts(store, limit, offset, category);
                 });
    server.route("GET /posts/{id}", detail_policy(), id, [&store](std::int64_t post) { return get_post(store, post); });
    server.route("POST /posts", write_policy(), [&store](const Request& r) { return create_post(store, r); });
    server.route("PUT /posts/{id}", write_policy(), id,
                 [&store](const Request& r, std::int64_t post) { return replace_post(store, r, post); });
    server.route("PATCH /posts/{id}", write_policy(), id,
                 [&store](const Request& r, std::int64_t post) { return patch_post(store, r, post); });
    server.route("DELETE /posts/{id}", write_policy(), id,
                 [&store](std::int64_t post) { return delete_post(store, post); });
}

Response list_posts(PostsStore& store, int limit, std::int64_t offset, const std::optional<std::string>& category) {
    const Page page = store.list(category, limit, offset);
    json items = json::array();
    for (const Post& post : page.items) items.push_back(json_of(post));
    const json body = {{"total", page.total}, {"limit", limit}, {"offset", offset}, {"items", std::move(items)}};
    return with_tags(Response::json(body).cache_control("public, max-age=30"), page_tags(page, category));
}

Response get_post(PostsStore& store, std::int64_t id) {
    const auto post = store.find(id);
    if (!post) return not_found(id);
    return with_tags(Response::json(json_of(*post)).cache_control("public, max-age=60"), post_tags(*post));
}

Response create_post(PostsStore& store, const Request& request) {
    const PostInput input = read_post(request, Wanted::both);
    const Post post = store.create(*input.title, *input.category);
    return after_writing(Response::json(json_of(post), 201).header("Location", "/posts/" + std::to_string(post.id)),
                         membership_tags(post));
}

Response replace_post(PostsStore& store, const Request& request, std::int64_t id) {
    const PostInput input = read_post(request, Wanted::both, id);
    return changed(store.change(id, input.title, input.category), id);
}

Response patch_post(PostsStore& store, const Request& request, std::int64_t id) {
    const PostInput input = read_post(request, Wanted::at_least_one, id);
    return changed(store.change(id, input.title, input.category), id);
}

Response delete_post(PostsStore& store, std::int64_t id) {
    const auto removed = store.remove(id);
    if (!removed) return not_found(id);
    return after_writing(Response::no_content(), membership_tags(*removed));
}

}  // namespace etage::demo
