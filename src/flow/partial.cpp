// Step 7, parts (RFC 9111 §3.3, §3.4; RFC 9110 §15.3.7.3): answered from, asked for, put together, completed.
//
// A range that is not here is asked of the origin as it is; of something small only the first time: the next one
// fetches the whole, or what is missing of it, and a flood of ranges ends there. Bytes of two responses are put
// together only when both have the same strong validator: then the newer one vouches for the older one's bytes, as a
// 304 does, and its fence is the fence of both.

#include "policy/partial.hpp"
#include "flow/plan.hpp"
#include "flow/present.hpp"
#include "policy/update.hpp"

#include <algorithm>

namespace etage::flow {

using http::FieldId;

namespace {

/// The range, and what else decides about it.
std::string name_of(const http::RangeSet& asked, http::FieldSpan request) {
    http::RangeText text;
    std::string name(http::write_range(text, asked.specs().front()));
    if (const auto if_range = http::find(request, FieldId::if_range)) name += " if " + std::string(*if_range);
    return name;
}

std::optional<http::Part> part_of(const OriginResponse& response) {
    return policy::part_of(response.fields, response.body ? response.content_length : response.content.size());
}

}  // namespace

base::Ref<const store::Entry> Walk::find_part(const Visit& visit) const {
    const std::string key = part_key(std::string_view(visit.key).substr(0, visit.notes.key_bytes));
    const auto shelf = rooms_.store.find(base::hash128(key, rooms_.secret), key);
    if (!shelf) return nullptr;
    std::string secondary;
    http::append_secondary_key(secondary, shelf->vary, visit.request.fields);
    base::Ref<const store::Entry> entry(shelf->find(secondary));
    if (!entry || !is_of_its_route(visit, *entry) || !may_be_given(visit, *entry)) return nullptr;
    if (rooms_.engine.sight(visit.now.mono) == coherence::Sight::blind) return nullptr;
    if (validity(*entry) <= coherence::Validity::stale) return entry;
    rooms_.store.remove(*entry);
    return nullptr;
}

/// True: the part that is here has what was asked for, and may be used. Else the notes say what to ask the origin.
bool Walk::look_for_part(Visit& visit, Answer& out) {
    Notes& notes = visit.notes;
    if (visit.request.method != http::Method::get) return false;
    const auto asked = policy::single_range(visit.request);
    auto held = find_part(visit);
    bool small = false;
    if (held) {
        const store::EntryParts& parts = held->parts();
        const bool soft = validity(*held) == coherence::Validity::stale;
        const auto verdict = policy::judge_reuse(parts.stamps, notes.request_cc, visit.now.mono, soft);
        const bool fresh = verdict.reuse == policy::Reuse::fresh;
        const bool has_it = covers(visit, *held);
        if (has_it && fresh) {
            out.verdict.detail = verdict.detail;
            return finish_hit(visit, std::move(held), out), true;
        }
        const bool validates = verdict.reuse == policy::Reuse::validate;
        notes.forward = !has_it ? Forward::partial : validates ? verdict.forward : Forward::stale;
        small = !has_it && parts.part->complete <= rooms_.limits.collect_bytes_max;
        const auto missing = policy::missing_piece(*parts.part);
        const bool completes = missing && missing->size() <= rooms_.limits.collect_bytes_max &&
                               parts.part->complete <= rooms_.limits.entry_bytes_max &&
                               (fresh || !policy::strong_validator(parts.fields, visit.now.wall).empty());
        if (has_it)
            notes.entry = std::move(held);
        else if (completes && (small || !asked))
            notes.held = std::move(held);
    }
    if (asked && !small) {
        notes.part = name_of(*asked, visit.request.fields);
        notes.detail = Detail::range;
    }
    return false;
}

void Walk::ask_for_part(const Visit& visit, Plan& plan) {
    http::RangeText text;
    http::Fields& fields = plan.request.fields;
    if (!visit.notes.part.empty()) {
        plan.in_part = true;
        fields.set(FieldId::range, http::write_range(text, http::parse_range(visit.request.fields).specs().front()));
        if (const auto if_range = http::find(visit.request.fields, FieldId::if_range))
            fields.set(FieldId::if_range, *if_range);
    } else if (visit.notes.held) {
        plan.held = visit.notes.held;
        plan.whole = plan.request;
        const auto missing = *policy::missing_piece(*plan.held->parts().part);
        const http::RangeSpec rest{missing.first, missing.first == 0 ? missing.last : http::RangeSpec::to_the_end};
        fields.set(FieldId::range, http::write_range(text, rest));
        const auto validator = policy::strong_validator(plan.held->parts().fields, visit.now.wall);
        if (!validator.empty()) fields.set(FieldId::if_range, validator);
    }
}

/// Of a 206: whether a part was asked for, and this is one that can be kept. Which one, it says itself.
bool Walk::is_a_part(Plan& plan, const OriginResponse& response) {
    if (plan.in_part) plan.part = part_of(response);
    return plan.part.has_value();
}

/// The rest of what is held, and with it the whole; or, when it does not fit, the whole in one.
asio::awaitable<Result<OriginResponse>> Walk::complete(Plan& plan, OriginResponse response) {
    if (response.status != 206 && response.status != 416) co_return response;  // it is whole, or says nothing of it
    rooms_.store.remove(*plan.held);
    const store::EntryParts& held = plan.held->parts();
    const auto rest = part_of(response);
    const bool fits = response.status == 206 && rest && rest->complete == held.part->complete &&
                      rest->range == policy::missing_piece(*held.part) &&
                      policy::same_representation(held.fields, response.fields, plan.response_time.wall);
    if (!fits) co_return co_await ask_anew(plan);
    auto read = co_await read_whole(response);
    if (!read) co_return std::unexpected(std::move(read.error()));
    const std::string_view stored = plan.held->representation(http::Coding::identity).body->view();
    response.content.insert(rest->range.first == 0 ? response.content.size() : 0, stored);
    response.content_length = response.content.size();
    response.status = 200;
    response.reason.clear();
    response.fields = policy::updated_fields(held.fields, response.fields);
    co_return response;
}

/// What is held beside this new part and may be put together with it, or null.
base::Ref<const store::Entry> Walk::find_beside(const Plan& plan, const store::EntryParts& newer) const {
    const auto shelf = rooms_.store.find(newer.key_hash, newer.key);
    base::Ref<const store::Entry> held(shelf ? shelf->find(newer.secondary_key) : nullptr);
    if (!held || validity(*held) > coherence::Validity::stale) return nullptr;
    const auto joined = policy::together(*held->parts().part, *newer.part);
    const bool same = policy::same_representation(held->parts().fields, newer.fields, plan.response_time.wall);
    return joined && same && joined->size() <= rooms_.limits.entry_bytes_max ? held : nullptr;
}

/// The entry with what is held of the same representation already; what is whole then, under the name of the whole.
asio::awaitable<base::Ref<const store::Entry>> Walk::put_together(Plan& plan, base::Ref<const store::Entry> entry) {
    store::EntryParts parts = entry->parts();
    const auto held = find_beside(plan, parts);
    const auto range = held ? *policy::together(*held->parts().part, *parts.part) : parts.part->range;
    const bool whole = range.size() == parts.part->complete;
    if (!held && !whole) co_return entry;

    std::string content(range.size(), '\0');
    const auto lay = [&](const store::Entry& piece) {
        const auto from = static_cast<std::ptrdiff_t>(piece.parts().part->range.first - range.first);
        std::ranges::copy(piece.representation(http::Coding::identity).body->view(), content.begin() + from);
    };
    if (held) lay(*held);
    lay(*entry);
    if (held) parts.fields = policy::updated_fields(held->parts().fields, parts.fields);
    parts.representations = {};
    parts.codings = {};
    parts.part->range = range;
    if (whole) {
        parts.status = 200;
        parts.part.reset();
        parts.key = plan.key;
        parts.key_hash = plan.key_hash;
        if (held) rooms_.store.remove(*held);
    }
    co_return co_await shape(plan, std::move(parts), std::move(content));
}

}  // namespace etage::flow
