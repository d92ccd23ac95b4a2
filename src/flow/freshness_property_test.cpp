// Whatever an origin says, whatever a client asks for, whenever: every answer is the one that RFC 9111 leads a naive
// reader to (freshness_model.hpp), so nothing is ever served that is older than the rules allow.

#include "flow/freshness_model.hpp"
#include "flow/rfc_fixture.hpp"

#include <rapidcheck.h>

namespace etage::flow::testing {
namespace {

int below(int end) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, end)); }
bool one_in(int n) { return below(n) == 0; }
std::int64_t some_seconds() {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::element<std::int64_t>(0, 1, 2, 5, 10, 30, 60, 300));
}
std::optional<std::int64_t> perhaps(int one_in_n) {
    return one_in(one_in_n) ? std::optional(some_seconds()) : std::nullopt;
}

Wish any_wish() {
    Wish wish;
    if (!one_in(2)) return wish;
    wish.max_age = perhaps(3);
    wish.max_stale = perhaps(3);
    wish.any_stale = !wish.max_stale && one_in(6);
    wish.min_fresh = perhaps(5);
    wish.sie = perhaps(5);
    wish.no_cache = one_in(8);
    wish.only_if_cached = one_in(5);
    return wish;
}

class Directives {
public:
    void add(std::string_view name) { (text_ += text_.empty() ? "" : ", ") += name; }
    void add_if(bool there, std::string_view name) {
        if (there) add(name);
    }
    void add_if(const std::optional<std::int64_t>& value, std::string_view name) {
        if (value) add(std::string(name) + "=" + std::to_string(*value));
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

std::vector<std::string> fields_of(const Wish& wish) {
    Directives cc;
    cc.add_if(wish.max_age, "max-age");
    cc.add_if(wish.max_stale, "max-stale");
    cc.add_if(wish.any_stale, "max-stale");
    cc.add_if(wish.min_fresh, "min-fresh");
    cc.add_if(wish.sie, "stale-if-error");
    cc.add_if(wish.no_cache, "no-cache");
    cc.add_if(wish.only_if_cached, "only-if-cached");
    if (cc.text().empty()) return {};
    return {"Cache-Control: " + cc.text()};
}

std::string date_text(std::int64_t when) {
    std::array<char, 29> text;
    return std::string(http::format_date(text, WallTime(std::chrono::seconds(when))));
}

/// One URI, one origin, one cache, and the model beside them.
class World : public RfcTest {
public:
    World() {
        house.origin.script = [this](const Seen& seen) { return answer(seen); };
    }
    void TestBody() override {}

    void step() {
        const int what = below(10);
        if (what == 0) ++version_;
        if (what == 1) origin_ = static_cast<OriginIs>(below(3));
        if (what == 2 || what == 3) pass(one_in(20) ? 90'000 : some_seconds());
        if (what > 3) ask(any_wish());
    }

private:
    std::int64_t now() const { return house.clock.now().wall.time_since_epoch().count(); }
    void pass(std::int64_t seconds) { house.skip(std::chrono::seconds(seconds)); }

    Said any_said() {
        Said said;
        said.max_age = perhaps(2);
        said.s_maxage = perhaps(6);
        said.swr = perhaps(4);
        said.sie = perhaps(4);
        said.no_cache = one_in(10);
        said.no_store = one_in(20);
        said.must_revalidate = one_in(8);
        said.proxy_revalidate = one_in(12);
        if (one_in(3)) said.expires = now() + some_seconds() - some_seconds();
        if (one_in(3)) said.age = some_seconds();
        // Both clocks show whole seconds, so a difference of one is none: not among these.
        if (one_in(2)) said.date = now() + *rc::gen::element<std::int64_t>(-30, -5, 0, 0, 40);
        if (version_ % 3 == 1) said.modified = first_ + version_ * 10;
        said.tagged = version_ % 2 == 0;
        return said;
    }

    /// The origin; what it said is put down for the model.
    Say answer(const Seen& seen) {
        if (origin_ == OriginIs::gone) return no_answer();
        if (origin_ == OriginIs::answering_503) return with_status(503);
        const Said said = any_said();
        const std::string tag = "\"" + std::to_string(version_) + "\"";
        const std::string asked = field_of(seen, "if-none-match");
        const bool same = asked.empty()
                              ? said.modified && field_of(seen, "if-modified-since") == date_text(*said.modified)
                              : said.tagged && asked == tag;
        Directives cc;
        cc.add_if(said.max_age, "max-age");
        cc.add_if(said.s_maxage, "s-maxage");
        cc.add_if(said.swr, "stale-while-revalidate");
        cc.add_if(said.sie, "stale-if-error");
        cc.add_if(said.no_cache, "no-cache");
        cc.add_if(said.no_store, "no-store");
        cc.add_if(said.must_revalidate, "must-revalidate");
        cc.add_if(said.proxy_revalidate, "proxy-revalidate");
        Say say = with_status(same ? 304 : 200, {}, same ? "" : std::to_string(version_));
        const auto add = [&](const char* name, const std::string& value) { say.fields.emplace_back(name, value); };
        if (!cc.text().empty()) add("Cache-Control", cc.text());
        if (said.expires) add("Expires", date_text(*said.expires));
        if (said.age) add("Age", std::to_string(*said.age));
        if (said.date) add("Date", date_text(*said.date));
        if (said.modified) add("Last-Modified", date_text(*said.modified));
        if (said.tagged) add("ETag", tag);
        said_ = said;
        validated_ = same;
        return say;
    }

    /// What the model makes of what the origin has just said, if it said something.
    void learn(bool alone) {
        if (!said_) return;
        Kept next{*said_, version_, now()};
        if (validated_) next = {updated(kept_->said, *said_), kept_->version, now()};
        said_.reset();
        if (alone) return;
        if (next.said.is_storable()) {
            kept_ = next;
            alone_until_ = 0;
        } else if (validated_) {
            kept_.reset();
        } else {
            alone_until_ = now() + 30;  // the key is remembered as not shareable
        }
    }

    void ask(const Wish& wish) {
        const std::size_t before = calls();
        const Reply reply = house.get("GET /a", fields_of(wish));
        const bool called = calls() > before;
        const Use use = kept_ ? use_without_asking(*kept_, wish, now()) : Use::no;
        if (use != Use::no) {
            RC_ASSERT(reply.status == 200);
            RC_ASSERT(reply.body == std::to_string(kept_->version));
            RC_ASSERT(reply["age"] == std::to_string(kept_->age(now())));
            RC_ASSERT(reply.verdict.hit);
            RC_ASSERT(called == (use == Use::while_revalidating));
            learn(false);
            return;
        }
        RC_ASSERT(!reply.verdict.hit);
        if (wish.only_if_cached) {
            RC_ASSERT(reply.status == 504);
            RC_ASSERT(!called);
            return;
        }
        RC_ASSERT(calls() == before + 1);
        if (origin_ == OriginIs::up) {
            RC_ASSERT(reply.status == 200);
            RC_ASSERT(reply.body == std::to_string(version_));
            learn(!kept_ && now() < alone_until_);
        } else if (kept_ && use_on_failure(*kept_, wish, origin_, now())) {
            RC_ASSERT(reply.status == 200);
            RC_ASSERT(reply.body == std::to_string(kept_->version));
            RC_ASSERT(reply["age"] == std::to_string(kept_->age(now())));
        } else {
            RC_ASSERT(reply.status == (origin_ == OriginIs::gone ? 502 : 503));
        }
    }

    const std::int64_t first_ = now() - 5000;
    int version_ = 0;
    OriginIs origin_ = OriginIs::up;
    std::optional<Said> said_;
    bool validated_ = false;
    std::optional<Kept> kept_;
    std::int64_t alone_until_ = 0;
};

TEST(Rfc9111Property, Section4_2_EveryAnswerIsTheOneTheRulesLeadTo) {
    EXPECT_TRUE(rc::check([] {
        World world;
        const int steps = 10 + below(60);
        for (int i = 0; i < steps; ++i) world.step();
    }));
}

}  // namespace
}  // namespace etage::flow::testing
