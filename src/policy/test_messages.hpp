#pragma once
// Messages for the tests of this module, written as a peer would send them.

#include "http/cache_control.hpp"
#include "http/message.hpp"
#include "policy/route.hpp"
#include "policy/storable.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etage::policy {

using FieldPairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline http::Fields fields_of(FieldPairs pairs) {
    http::Fields fields;
    for (const auto& [name, value] : pairs) fields.add(name, value);
    return fields;
}

/// A request that owns what its head borrows.
struct Asked {
    Asked(std::string_view method, std::string target, FieldPairs fields = {}) : target_(std::move(target)) {
        fields_ = fields_of(fields);
        head.method = http::method_of(method);
        method_ = method;
        head.method_text = method_;
        head.target = target_;
        head.authority = "example.test";
        const std::string_view whole = target_;
        const auto mark = whole.find('?');
        head.path = whole.substr(0, mark);
        head.has_query = mark != std::string_view::npos;
        if (head.has_query) head.query = whole.substr(mark + 1);
        head.fields = fields_.span();
    }
    Asked(const Asked&) = delete;
    Asked& operator=(const Asked&) = delete;

    http::RequestHead head;

private:
    std::string target_;
    std::string method_;
    http::Fields fields_;
};

/// One route, compiled. The pattern must be right.
inline Router router_of(RoutePolicy policy) {
    std::vector<RoutePolicy> policies;
    policies.push_back(std::move(policy));
    auto router = Router::compile(std::move(policies), {});
    EXPECT_TRUE(router.has_value()) << router.error().what;
    return std::move(*router);
}

/// A request, its response and the route, as the rules look at them.
struct Answered {
    Answered(int response_status, FieldPairs response_fields)
        : status(response_status), fields(fields_of(response_fields)) {}

    Answered(const Answered&) = delete;
    Answered& operator=(const Answered&) = delete;

    Answered& asked_with(FieldPairs request_fields) {
        request_fields_ = fields_of(request_fields);
        request.fields = request_fields_.span();
        return *this;
    }
    Answered& with(CachePolicy cache) {
        RoutePolicy policy;
        policy.match = "/**";
        policy.cache = std::move(cache);
        return with_route(std::move(policy));
    }
    Answered& with_route(RoutePolicy policy) {
        router_ = router_of(std::move(policy));
        route = router_.routes().front().get();
        return *this;
    }

    /// Borrows from this object, until the next call.
    Exchange exchange() {
        request.path = "/";
        request_cc_ = http::parse_request_cache_control(request.fields);
        response_cc_ = http::parse_response_cache_control(fields);
        return {request, request_cc_, status, fields.span(), response_cc_, route, per_user_key};
    }

    http::RequestHead request;
    int status;
    http::Fields fields;
    const Route* route = nullptr;
    bool per_user_key = false;

private:
    http::Fields request_fields_;
    http::RequestCacheControl request_cc_;
    http::ResponseCacheControl response_cc_;
    Router router_;
};

}  // namespace etage::policy
