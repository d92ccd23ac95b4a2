#include <gtest/gtest.h>
#include <etage/error.hpp>

#include <set>

namespace etage {
namespace {

struct Row {
    Fault fault;
    std::string_view name;
    int status;
};
constexpr Row rows[] = {
    {Fault::bad_request, "bad-request", 400},
    {Fault::payload_too_large, "payload-too-large", 413},
    {Fault::uri_too_long, "uri-too-long", 414},
    {Fault::expectation_failed, "expectation-failed", 417},
    {Fault::fields_too_large, "fields-too-large", 431},
    {Fault::not_implemented, "not-implemented", 501},
    {Fault::version_unsupported, "version-unsupported", 505},
    {Fault::not_found, "not-found", 404},
    {Fault::request_timeout, "request-timeout", 408},
    {Fault::origin_unreachable, "origin-unreachable", 502},
    {Fault::origin_protocol, "origin-protocol", 502},
    {Fault::origin_incomplete, "origin-incomplete", 502},
    {Fault::origin_timeout, "origin-timeout", 504},
    {Fault::overloaded, "overloaded", 503},
    {Fault::budget_spent, "budget-spent", 503},
    {Fault::origin_busy, "origin-busy", 503},
    {Fault::cancelled, "cancelled", 499},
    {Fault::not_recorded, "not-recorded", 503},
    {Fault::internal, "internal", 500},
};

TEST(Error, EveryFaultHasANameAndAStatus) {
    std::set<std::string_view> names;
    for (const Row& row : rows) {
        EXPECT_EQ(fault_name(row.fault), row.name);
        EXPECT_EQ(fault_status(row.fault), row.status) << row.name;
        names.insert(fault_name(row.fault));
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(Fault::internal) + 1);
}

TEST(Error, AFaultNobodyKnowsIsOurs) {
    EXPECT_EQ(fault_name(static_cast<Fault>(200)), "internal");
    EXPECT_EQ(fault_status(static_cast<Fault>(200)), 500);
}

TEST(Error, AFailureSaysWhoseAndWhetherToTryAgain) {
    const Result<int> r = failure(Blame::origin, Fault::origin_timeout, "10.0.0.1:80 did not answer in 5s", true);
    ASSERT_FALSE(r.has_value());
    EXPECT_EQ(r.error().blame, Blame::origin);
    EXPECT_EQ(r.error().fault, Fault::origin_timeout);
    EXPECT_TRUE(r.error().retryable);
    EXPECT_EQ(r.error().what, "10.0.0.1:80 did not answer in 5s");
}

TEST(Error, TryingAgainIsTheException) {
    const Result<void> r = failure(Blame::us, Fault::internal, "oops");
    EXPECT_FALSE(r.error().retryable);
}

}  // namespace
}  // namespace etage
