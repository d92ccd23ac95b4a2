// Whatever is said and asked: what holds of every answer. The models are written from the RFCs, not from the rules of
// this house.

#include "flow/walk_fixture.hpp"
#include "http/date.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <optional>

namespace etage::flow::testing {
namespace {

/// Below `below`, each as likely, whatever size RapidCheck has in mind.
int any(int below) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, below)); }
bool sometimes() { return any(3) == 0; }
std::optional<int> sometimes_below(int below) { return sometimes() ? std::optional(any(below)) : std::nullopt; }

// ---- freshness

/// What a response says of its reuse, and when it came.
struct Said {
    std::optional<int> max_age, s_maxage, swr, sie, age;
    bool must_revalidate = false;
    bool no_cache = false;
    Instant came{};

    static Said anything() {
        Said said{sometimes_below(20), sometimes_below(20), sometimes_below(20), sometimes_below(20),
                  sometimes_below(10), any(5) == 0,         any(8) == 0,         {}};
        if (!said.max_age && !said.s_maxage) said.max_age = any(20);
        return said;
    }
    std::string cache_control() const {
        std::string text;
        const auto add = [&](const char* name, std::optional<int> value) {
            if (value) text += std::string(text.empty() ? "" : ", ") + name + "=" + std::to_string(*value);
        };
        add("max-age", max_age);
        add("s-maxage", s_maxage);
        add("stale-while-revalidate", swr);
        add("stale-if-error", sie);
        if (must_revalidate) text += ", must-revalidate";
        if (no_cache) text += ", no-cache";
        return text;
    }
};

struct Wish {
    std::optional<int> max_age, max_stale, min_fresh;
    bool no_cache = false;

    static Wish anything() { return {sometimes_below(20), sometimes_below(20), sometimes_below(10), any(8) == 0}; }
    std::vector<std::string> fields() const {
        std::string text;
        const auto add = [&](const char* name, std::optional<int> value) {
            if (value) text += std::string(text.empty() ? "" : ", ") + name + "=" + std::to_string(*value);
        };
        add("max-age", max_age);
        add("max-stale", max_stale);
        add("min-fresh", min_fresh);
        if (no_cache) text += text.empty() ? "no-cache" : ", no-cache";
        return text.empty() ? std::vector<std::string>{} : std::vector{"Cache-Control: " + text};
    }
};

/// RFC 9111 §4.2, §5.2.1, §5.2.2; RFC 5861: may it be served at this age, with the origin well or not?
bool allowed(const Said& said, const Wish& wish, double age, bool failed) {
    const double lifetime = said.s_maxage ? *said.s_maxage : *said.max_age;
    const double staleness = age - lifetime;
    const bool must_validate = said.must_revalidate || said.s_maxage.has_value();
    if (said.no_cache || wish.no_cache) return false;
    if (staleness >= 0 && must_validate) return false;
    if (failed)  // disconnected: within a day, and nobody waits here that long
        return said.sie.value_or(0) == 0 || staleness <= *said.sie || (wish.max_stale && staleness <= *wish.max_stale);
    if (wish.max_age && age > *wish.max_age) return false;
    if (wish.min_fresh && -staleness < *wish.min_fresh) return false;
    if (staleness < 0) return true;
    if (wish.max_stale && staleness <= *wish.max_stale) return true;
    return said.swr && staleness < *said.swr && !wish.min_fresh;
}

TEST(Property, NothingIsServedOlderThanTheRulesAllow) {
    EXPECT_TRUE(rc::check([] {
        TestHouse house;
        std::vector<Said> history;
        bool down = false;
        house.origin.script = [&](const Seen&) {
            if (down) return Say{.fault = Fault::origin_unreachable};
            Said said = Said::anything();
            said.came = house.clock.now().mono;
            history.push_back(said);
            Say say{.fields = {{"Cache-Control", said.cache_control()}}, .body = std::to_string(history.size() - 1)};
            if (said.age) say.fields.emplace_back("Age", std::to_string(*said.age));
            return say;
        };
        const int steps = 5 + any(25);
        for (int step = 0; step < steps; ++step) {
            down = any(4) == 0;
            house.clock.advance(std::chrono::milliseconds(any(8000)));
            house.settle();
            const Wish wish = Wish::anything();
            const Reply reply = house.get("GET /a", wish.fields());
            if (reply.status != 200 || reply.verdict.forward_status == 200) continue;  // the origin's own, or none
            const Said& said = history.at(std::stoul(reply.body));
            const double age =
                said.age.value_or(0) + std::chrono::duration<double>(house.clock.now().mono - said.came).count();
            RC_LOG() << said.cache_control() << " at " << age << "; " << reply["cache-status"] << '\n';
            RC_ASSERT(std::abs(std::stod(reply["age"]) - age) <= 1.001);
            RC_ASSERT(allowed(said, wish, age, reply.verdict.detail == Detail::stale_if_error && down));
        }
    }));
}

// ---- validation

/// A client with a copy of its own asks whether it still holds, and somebody else asks for the whole at once.
TEST(Property, A304SaysWhatA200WouldHaveSaid) {
    EXPECT_TRUE(rc::check([] {
        TestHouse house;
        int version = 0;
        const int kind = any(4);  // strong tag, weak tag, date alone, nothing
        const std::string text(kind == 0 ? 2000 : 3, 'x');
        house.origin.script = [&](const Seen& seen) {
            Say say{.fields = {{"Cache-Control", "max-age=5"}, {"Vary", "X-A"}, {"Content-Type", "text/plain"}}};
            say.body = text + std::to_string(version);
            std::array<char, 29> date;
            const std::string modified(
                http::format_date(date, WallTime(std::chrono::seconds(1'700'000'000 + version))));
            const std::string tag = (kind == 1 ? "W/\"" : "\"") + std::to_string(version) + "\"";
            if (kind < 2) say.fields.emplace_back("ETag", tag);
            if (kind == 2) say.fields.emplace_back("Last-Modified", modified);
            const auto asked = http::find(seen.fields, http::FieldId::if_none_match);
            const auto since = http::find(seen.fields, http::FieldId::if_modified_since);
            const bool holds = asked ? kind < 2 && *asked == tag : kind == 2 && since == modified;
            if (holds) say.status = 304, say.body.clear();
            return say;
        };
        Reply copy;
        for (int step = 0; step < 25; ++step) {
            if (any(4) == 0) ++version;
            house.clock.advance(std::chrono::milliseconds(any(3000)));
            house.settle();
            std::vector<std::string> ask;
            const bool coded = any(2) == 0;
            if (coded) ask.emplace_back("Accept-Encoding: gzip");
            std::vector<std::string> conditional = ask;
            if (!copy["etag"].empty()) conditional.push_back("If-None-Match: " + copy["etag"]);
            if (!copy["last-modified"].empty()) conditional.push_back("If-Modified-Since: " + copy["last-modified"]);
            const Reply reply = house.get("GET /a", conditional);
            house.finish_compressing();
            const Reply whole = house.get("GET /a", ask);
            if (reply.status == 200) {
                copy = reply;
                continue;
            }
            RC_ASSERT(reply.status == 304);
            RC_ASSERT(reply.body.empty());
            for (const char* name : {"cache-control", "vary", "last-modified", "date"})
                RC_ASSERT(reply[name] == whole[name]);
            const Reply plain = house.get("GET /a");
            const Reply copied =
                copy["content-encoding"].empty() ? plain : house.get("GET /a", {"Accept-Encoding: gzip"});
            RC_ASSERT(copied["content-encoding"] != copy["content-encoding"] || copied.body == copy.body);
        }
    }));
}

// ---- variants

TEST(Property, AnAnswerIsForThoseWhoAskedAsItSays) {
    EXPECT_TRUE(rc::check([] {
        TestHouse house;
        const std::array<std::string, 3> names{"X-A", "X-B", "X-C"};
        const auto told = [&](const std::string& vary, auto&& value_of) {
            std::string text;
            for (const auto& name : names)
                if (vary.find(name) != std::string::npos) text += "|" + value_of(name);
            return text + "|";
        };
        house.origin.script = [&](const Seen& seen) {
            const std::string vary =
                *rc::gen::elementOf(std::vector<std::string>{"X-A", "X-A, X-B", "X-C", "X-B, X-A"});
            Say say{.fields = {{"Cache-Control", "max-age=5"}, {"Vary", vary}}};
            say.body = told(vary, [&](const std::string& name) {
                return std::string(http::find(seen.fields, std::string_view(name)).value_or("absent"));
            });
            return say;
        };
        for (int step = 0; step < 30; ++step) {
            house.clock.advance(std::chrono::milliseconds(any(1500)));
            house.settle();
            std::map<std::string, std::string> values;
            std::vector<std::string> fields;
            for (const auto& name : names) {
                const int value = any(4);
                if (value == 0) continue;
                values[name] = value == 1 ? "" : std::to_string(value);
                fields.push_back(name + ": " + values[name]);
            }
            const Reply reply = house.get("GET /a", fields);
            RC_ASSERT(reply.status == 200);
            RC_ASSERT(reply.body == told(reply["vary"], [&](const std::string& name) {
                          return values.contains(name) ? values[name] : std::string("absent");
                      }));
        }
    }));
}

}  // namespace
}  // namespace etage::flow::testing
