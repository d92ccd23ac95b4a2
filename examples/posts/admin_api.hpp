#pragma once
// Invalidating a category at once, or as a job in the background for bulk work.

#include "jobs.hpp"

#include <etage/server.hpp>

namespace etage::demo {

/// POST /admin/posts/invalidate?category=tech[&async=1] and GET /admin/jobs/{id}. The jobs outlive the server's run().
void declare_admin(Server& server, Jobs& jobs);

}  // namespace etage::demo
