#pragma once
// What the tests of RFC clauses have in common: few words for what an origin says and for what a client got. A suite is
// an RFC, a test is named after the section it is about; docs/rfc9111.md lists them by clause. For tests only.

#include "flow/walk_fixture.hpp"
#include "http/date.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace etage::flow::testing {

using FieldList = std::vector<std::pair<std::string, std::string>>;

inline Say says(FieldList fields, std::string body = "hello") {
    Say say;
    say.fields = std::move(fields);
    say.body = std::move(body);
    return say;
}

inline Say says_cache_control(std::string value, std::string body = "hello") {
    return says({{"Cache-Control", std::move(value)}}, std::move(body));
}

inline Say no_answer(Fault fault = Fault::origin_unreachable) {
    Say say;
    say.fault = fault;
    return say;
}

inline Say with_status(int status, FieldList fields = {}, std::string body = "") {
    Say say = says(std::move(fields), std::move(body));
    say.status = status;
    return say;
}

/// What of a request's fields an origin saw; "" when absent.
inline std::string field_of(const Seen& seen, std::string_view name) {
    return std::string(http::find(seen.fields, name).value_or(""));
}

class RfcTest : public ::testing::Test {
protected:
    /// From now on, whatever it is asked.
    void origin_says(Say say) {
        house.origin.script = [say](const Seen&) { return say; };
    }
    std::size_t calls() const { return house.origin.seen.size(); }
    const Seen& last_seen() const { return house.origin.seen.back(); }

    /// True when a request is answered without the origin.
    bool is_answered_here(const std::string& line = "GET /a", std::vector<std::string> fields = {}) {
        const std::size_t before = calls();
        return house.get(line, std::move(fields)).verdict.hit && calls() == before;
    }
    /// True when the first answer is kept for the second request.
    bool is_kept(Say say, const std::string& path = "/a") {
        origin_says(std::move(say));
        house.get("GET " + path);
        return is_answered_here("GET " + path);
    }
    /// The date that is so far from now.
    std::string date(std::chrono::seconds from_now = {}) const {
        std::array<char, 29> text;
        return std::string(http::format_date(text, house.clock.now().wall + from_now));
    }

    TestHouse house;
};

}  // namespace etage::flow::testing
