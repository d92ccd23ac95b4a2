// Whether an answer can be recognised: ETag, Last-Modified, 304 and HEAD.

#include "gateway/lint_answer.hpp"
#include "gateway/lint_answer_rules.hpp"
#include "http/date.hpp"
#include "http/etag.hpp"

#include <charconv>

namespace etage::gateway {

namespace {

using http::FieldId;

std::optional<std::string_view> field(const Observed& answer, FieldId id) noexcept {
    return http::find(answer.fields, id);
}

std::optional<http::EntityTag> tag_of(const Observed& answer) noexcept {
    const auto text = field(answer, FieldId::etag);
    return text ? http::parse_entity_tag(*text) : std::nullopt;
}

std::optional<http::EntityTag> strong_tag_of(const Observed& answer) noexcept {
    const auto tag = tag_of(answer);
    return tag && !tag->weak ? tag : std::nullopt;
}

std::string coding_of(const Observed& answer) {
    return std::string(field(answer, FieldId::content_encoding).value_or("identity"));
}

class ValidatorLint {
public:
    ValidatorLint(const Observations& seen, std::string_view where, Findings& out)
        : seen_(seen), first_(seen.first), where_(where), out_(out) {}

    void run() {
        check_presence();
        check_last_modified();
        if (seen_.again) check_again(*seen_.again);
        if (seen_.gzip) check_codings(*seen_.gzip);
        if (seen_.conditional) check_conditional(*seen_.conditional);
        if (seen_.head) check_head(*seen_.head);
    }

private:
    void add(const LintRule& rule, std::string what) { out_.add(rule, where_, std::move(what)); }

    void check_presence() {
        const auto etag = field(first_, FieldId::etag);
        if (etag && !tag_of(first_)) return add(answer_rule("etag-unquoted"), field_text(first_, FieldId::etag));
        if (etag && tag_of(first_)->weak) add(answer_rule("weak-etag-only"), field_text(first_, FieldId::etag));
        const bool kept = !http::parse_response_cache_control(first_.fields).no_store;
        if (!etag && !field(first_, FieldId::last_modified) && first_.status == 200 && kept)
            add(answer_rule("no-validator"), "neither ETag nor Last-Modified");
    }

    void check_last_modified() {
        const auto text = field(first_, FieldId::last_modified);
        if (!text) return;
        const auto modified = http::parse_date(*text, first_.received);
        const auto date = http::parse_date(field(first_, FieldId::date).value_or(""), first_.received);
        if (!modified)
            add(answer_rule("last-modified-invalid"), field_text(first_, FieldId::last_modified));
        else if (date && *modified > *date)  // RFC 9110 §8.8.2.1
            add(answer_rule("last-modified-invalid"),
                field_text(first_, FieldId::last_modified) + " is later than " + field_text(first_, FieldId::date));
    }

    void check_again(const Observed& again) {
        const auto before = field(first_, FieldId::etag);
        const auto after = field(again, FieldId::etag);
        if (!before || !after || coding_of(first_) != coding_of(again)) return;
        if (same_content(first_, again) && *before != *after)
            add(answer_rule("etag-changes-for-same-content"),
                "ETag: " + std::string(*before) + ", then " + std::string(*after));
        const bool other = first_.whole && again.whole && first_.content != again.content;
        if (other && first_.status == 200 && again.status == 200 && *before == *after && strong_tag_of(first_))
            add(answer_rule("etag-same-for-other-content"), field_text(first_, FieldId::etag) + ", twice");
    }

    void check_codings(const Observed& gzip) {
        const auto plain = strong_tag_of(first_);
        const auto coded = strong_tag_of(gzip);
        if (plain && coded && coding_of(first_) != coding_of(gzip) && http::strongly_equal(*plain, *coded))
            add(answer_rule("etag-same-across-codings"),
                field_text(first_, FieldId::etag) + " for " + coding_of(first_) + " and " + coding_of(gzip));
    }

    /// What changed between two requests may be another answer by now, and rightly sent whole.
    bool changes() const noexcept {
        return seen_.again && (!same_content(first_, *seen_.again) ||
                               field(first_, FieldId::etag) != field(*seen_.again, FieldId::etag));
    }

    void check_conditional(const Observed& answer) {
        if (answer.status == 304) return check_not_modified(answer);
        if (answer.status != first_.status || changes()) return;
        const FieldId validator = tag_of(first_) ? FieldId::etag : FieldId::last_modified;
        add(answer_rule("conditional-ignored"),
            field_text(first_, validator) + " came back and was answered " + std::to_string(answer.status));
    }

    void check_not_modified(const Observed& answer) {
        std::string missing;
        for (const FieldId id : {FieldId::cache_control, FieldId::content_location, FieldId::date, FieldId::etag,
                                 FieldId::expires, FieldId::vary}) {
            if (!field(first_, id) || field(answer, id)) continue;
            missing.append(missing.empty() ? "" : ", ").append(http::canonical_name(id));
        }
        if (!missing.empty()) add(answer_rule("not-modified-lacks-fields"), "the 304 has no " + missing);
    }

    void check_head(const Observed& head) {
        if (head.status != first_.status)
            return add(answer_rule("head-differs"),
                       "HEAD is answered " + std::to_string(head.status) + ", GET " + std::to_string(first_.status));
        for (const FieldId id :
             {FieldId::cache_control, FieldId::cdn_cache_control, FieldId::content_encoding, FieldId::content_type,
              FieldId::etag, FieldId::expires, FieldId::last_modified, FieldId::vary})
            compare(head, id);
        compare_length(head);
    }

    void compare(const Observed& head, FieldId id) {
        const auto get_says = http::joined(first_.fields, id);
        const auto head_says = http::joined(head.fields, id);
        if (get_says == head_says) return;
        const bool both = get_says && head_says;
        // A field that changes from one GET to the next says nothing about HEAD.
        if (both && seen_.again && http::joined(seen_.again->fields, id) != get_says) return;
        if (both && id == FieldId::expires) return;  // it moves with the clock
        add(answer_rule("head-differs"), "GET says " + field_text(first_, id) + ", HEAD " + field_text(head, id));
    }

    /// RFC 9110 §8.6: a HEAD's Content-Length is the one of GET, or absent.
    void compare_length(const Observed& head) {
        const auto text = field(head, FieldId::content_length);
        if (!text || !first_.whole || (seen_.again && !same_content(first_, *seen_.again))) return;
        std::uint64_t length = 0;
        const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), length);
        if (failed == std::errc() && end == text->data() + text->size() && length == first_.content.size()) return;
        add(answer_rule("head-differs"), "HEAD says Content-Length: " + std::string(*text) + ", GET has " +
                                             std::to_string(first_.content.size()) + " bytes");
    }

    const Observations& seen_;
    const Observed& first_;
    std::string_view where_;
    Findings& out_;
};

}  // namespace

void lint_validators(const Observations& seen, std::string_view where, Findings& out) {
    ValidatorLint(seen, where, out).run();
}

}  // namespace etage::gateway
