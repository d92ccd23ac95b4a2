#include "admin_api.hpp"

#include "posts_tags.hpp"

#include <nlohmann/json.hpp>

namespace etage::demo {

namespace {

using json = nlohmann::ordered_json;

Response start_job(Server& server, Jobs& jobs, const std::string& category) {
    const auto id = jobs.start("invalidate " + category,
                               [&server, category] { return server.invalidate(category_tags(category)).killed; });
    if (!id) return Response::problem(503, "", "too many jobs are waiting").header("Retry-After", "5");
    const std::string location = "/admin/jobs/" + std::to_string(*id);
    return Response::json(json{{"job", *id}, {"look", location}}, 202).header("Location", location);
}

Response show_job(const Jobs& jobs, std::int64_t id) {
    const auto job = jobs.find(id);
    if (!job) return Response::problem(404, "", "there is no job " + std::to_string(id) + ", or no more");
    json body = {{"job", id}, {"what", job->what}, {"state", state_name(job->state)}};
    if (job->state == Jobs::State::done) body["invalidated"] = job->result;
    if (job->state == Jobs::State::failed) body["error"] = job->error;
    return Response::json(body).cache_control("no-store");
}

}  // namespace

void declare_admin(Server& server, Jobs& jobs) {
    const RoutePolicy uncached{.cache = {.pass = true}};
    server.route("POST /admin/posts/invalidate", uncached, query<std::string>("category").length(1, 40),
                 query<bool>("async").or_else(false), [&server, &jobs](const std::string& category, bool async) {
                     if (async) return start_job(server, jobs, category);
                     return Response::json(json{{"invalidated", server.invalidate(category_tags(category)).killed}});
                 });
    server.route("GET /admin/jobs/{id}", uncached, path<std::int64_t>("id").at_least(1),
                 [&jobs](std::int64_t id) { return show_job(jobs, id); });
}

}  // namespace etage::demo
