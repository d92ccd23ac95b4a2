// How long an answer says that it lasts, and whether its clock can be believed.

#include "gateway/lint_answer.hpp"
#include "gateway/lint_answer_rules.hpp"
#include "gateway/lint_directives.hpp"
#include "http/date.hpp"
#include "policy/storable.hpp"

#include <array>

namespace etage::gateway {

namespace {

using http::FieldId;
using std::chrono::seconds;

/// Clocks that differ by less do no harm that anybody would notice.
constexpr seconds skew_max{60};
/// Expires is often made a moment before or after Date.
constexpr seconds expires_slack{1};

class FreshnessLint {
public:
    FreshnessLint(const Observed& answer, std::string_view where, Findings& out)
        : answer_(answer),
          cc_(http::parse_response_cache_control(answer.fields)),
          date_(date_of(FieldId::date)),
          where_(where),
          out_(out) {}

    void run() {
        check_any();
        check_expires();
        check_date();
        check_age();
        check_old_fields();
    }

private:
    void add(const LintRule& rule, std::string what) { out_.add(rule, where_, std::move(what)); }
    bool has(FieldId id) const noexcept { return http::contains(answer_.fields, id); }
    std::optional<WallTime> date_of(FieldId id) const noexcept {
        const auto text = http::find(answer_.fields, id);
        return text ? http::parse_date(*text, answer_.received) : std::nullopt;
    }

    void check_any() {
        const bool explicitly = cc_.no_store || cc_.no_cache || cc_.max_age || cc_.s_maxage || has(FieldId::expires) ||
                                has(FieldId::cdn_cache_control) || has(FieldId::etage_cache_control);
        if (explicitly || !policy::heuristically_cacheable(answer_.status)) return;
        std::string what = std::to_string(answer_.status) + " without max-age, Expires, no-cache or no-store";
        if (has(FieldId::last_modified))
            what += "; caches guess from Last-Modified, commonly a tenth of its age";
        else if (!has(FieldId::etag))
            what += ", and nothing to guess from";
        add(answer_rule("no-freshness"), std::move(what));
    }

    void check_expires() {
        const auto text = http::find(answer_.fields, FieldId::expires);
        if (!text || cc_.no_store) return;
        const auto expires = date_of(FieldId::expires);
        if (!expires) return add(answer_rule("expires-invalid"), "Expires: " + std::string(*text));
        if (!cc_.max_age) return;
        // RFC 9111 §4.2.1: Expires is counted from Date.
        const seconds lifetime = *expires - date_.value_or(answer_.received);
        const seconds apart = std::chrono::abs(lifetime - seconds(*cc_.max_age));
        if (apart <= expires_slack || (lifetime <= seconds(0) && *cc_.max_age == 0)) return;
        add(answer_rule("expires-ignored"), "max-age=" + std::to_string(*cc_.max_age) + ", and Expires is " +
                                                std::to_string(lifetime.count()) + " s from Date");
    }

    void check_date() {
        if (!date_) {
            // RFC 9110 §6.6.1: an origin without a clock must not send it; 1xx and 5xx may leave it out.
            if (answer_.status < 500) add(answer_rule("date-missing"), field_text(answer_, FieldId::date));
            return;
        }
        const seconds age{http::parse_age(answer_.fields).value_or(0)};
        const seconds ahead = *date_ + age - answer_.received;
        if (std::chrono::abs(ahead) <= skew_max) return;
        std::string what = "Date is " + std::to_string(std::chrono::abs(ahead).count()) + " s " +
                           (ahead > seconds(0) ? "ahead of" : "behind") + " this machine";
        if (age > seconds(0)) what += ", with Age: " + std::to_string(age.count());
        add(answer_rule("date-skewed"), std::move(what));
    }

    void check_age() {
        if (!has(FieldId::age)) return;
        constexpr std::array traces = {"X-Cache", "X-Cache-Status", "X-Served-By", "X-Varnish", "CF-Cache-Status"};
        bool cache = has(FieldId::via) || has(FieldId::cache_status);
        for (const char* name : traces) cache = cache || http::find(answer_.fields, name);
        if (!cache) add(answer_rule("age-without-cache"), field_text(answer_, FieldId::age));
    }

    void check_old_fields() {
        if (has(FieldId::pragma)) add(answer_rule("pragma-in-response"), field_text(answer_, FieldId::pragma));
        if (!has(FieldId::surrogate_control)) return;
        std::string what = field_text(answer_, FieldId::surrogate_control);
        if (has(FieldId::cdn_cache_control)) what += "; CDN-Cache-Control stands beside it and wins";
        add(answer_rule("surrogate-control-superseded"), std::move(what));
    }

    const Observed& answer_;
    http::ResponseCacheControl cc_;
    std::optional<WallTime> date_;
    std::string_view where_;
    Findings& out_;
};

}  // namespace

void lint_freshness(const Observations& seen, std::string_view where, Findings& out) {
    FreshnessLint(seen.first, where, out).run();
}

}  // namespace etage::gateway
