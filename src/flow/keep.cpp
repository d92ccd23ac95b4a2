// Step 7, what is kept of an answer: the parts of an entry, its shapes, its place on the shelf.

#include "flow/plan.hpp"
#include "flow/present.hpp"
#include "flow/recode.hpp"
#include "flow/tags.hpp"
#include "http/date.hpp"
#include "http/vary.hpp"
#include "policy/freshness.hpp"
#include "policy/invalidate.hpp"
#include "policy/targeted.hpp"

#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <array>

namespace etage::flow {

std::string Walk::Plan::uri() const { return request_uri(asked.head(), asked.scheme(), match.route); }

store::EntryParts Walk::parts_of(const Flight& flight, const Plan& plan, const OriginResponse& response) const {
    const http::RequestHead& request = plan.asked.head();
    const Ruling ruling(plan, response);
    const auto governing = policy::governing_directives(response.fields, ruling.response_cc).cc;
    store::EntryParts parts;
    parts.key = plan.part ? part_key(plan.key) : plan.key;
    parts.key_hash = plan.part ? base::hash128(parts.key, rooms_.secret) : plan.key_hash;
    parts.fence = flight.fence();
    http::append_secondary_key(parts.secondary_key, selecting_fields(response.fields), request.fields);
    parts.tags = flight.request_tags();
    const auto add = [&](std::string_view tag) {
        parts.tags.push_back(coherence::tag_hash(coherence::TagKind::surrogate, tag));
    };
    policy::for_each_surrogate(response.fields, add);
    for (const std::string& tag : response.tags) add(tag);
    policy::for_each_cache_group(request, plan.asked.scheme(), response.fields, [&](std::string_view group) {
        parts.tags.push_back(coherence::tag_hash(coherence::TagKind::group, group));
    });
    const auto moment = static_cast<std::uint64_t>(plan.response_time.mono.time_since_epoch().count());
    const std::uint64_t jitter = base::hash64(plan.key, rooms_.secret ^ moment);
    parts.stamps = policy::compute_stamps({ruling.exchange, plan.request_time, plan.response_time, jitter});
    parts.route_revision = plan.match.route != nullptr ? plan.match.route->revision : 0;
    parts.for_authorized = governing.is_public || governing.s_maxage || governing.must_revalidate;
    parts.status = response.status;
    parts.part = plan.part;
    parts.fields = response.fields;
    if (plan.part) parts.fields.remove(http::FieldId::content_range);  // each answer has its own
    if (!http::contains(parts.fields, http::FieldId::date)) {          // RFC 9110 §6.6.1: when it was received
        std::array<char, 29> date;
        parts.fields.add(http::FieldId::date, http::format_date(date, plan.response_time.wall));
    }
    if (http::contains(parts.fields, http::FieldId::no_vary_search) && request.method != http::Method::query)
        note_equivalents(parts, plan.uri(), plan.key);
    std::ranges::sort(parts.tags);
    parts.tags.erase(std::ranges::unique(parts.tags).begin(), parts.tags.end());
    return parts;
}

/// Heads and codings are made on a compressor thread when there is something to compress or to decode; the event loop
/// goes on. Both forms of what is decoded are to fit into one entry, with their heads.
asio::awaitable<base::Ref<const store::Entry>> Walk::shape(Plan& plan, store::EntryParts parts, std::string content) {
    const Presentation how{plan.match.route, plan.per_user, plan.response_time.wall};
    const http::Coding coding = http::choose_coding(plan.asked.head().fields, http::CodingSet::all()).coding;
    const std::size_t left = rooms_.limits.entry_bytes_max - std::min(content.size(), rooms_.limits.entry_bytes_max);
    const auto shape_it = [&] { shape_entry(parts, std::move(content), how, coding, left - left / 16); };
    if (!removable_coding(parts.fields) &&
        !would_compress(parts.status, parts.fields, content.size(), plan.match.route)) {
        shape_it();
        co_return base::make_ref<const store::Entry>(std::move(parts));
    }
    const auto work = [&]() -> asio::awaitable<void> {
        shape_it();
        co_return;
    };
    co_await asio::co_spawn(rooms_.compressors, work, asio::use_awaitable);
    const bool decoded = parts.sent_in != http::Coding::identity;
    if (decoded || parts.codable) rooms_.metrics.add(decoded ? base::Counter::decodings : base::Counter::compressions);
    co_return base::make_ref<const store::Entry>(std::move(parts));
}

asio::awaitable<bool> Walk::keep(Plan& plan, base::Ref<const store::Entry> entry, Detail& why_not) {
    if (entry->parts().part) entry = co_await put_together(plan, std::move(entry));
    co_return shelve(plan, entry, why_not);
}

bool Walk::shelve(Plan& plan, const base::Ref<const store::Entry>& entry, Detail& why_not) {
    const store::EntryParts& parts = entry->parts();
    const auto vary = selecting_fields(parts.fields);
    if (parts.tags.size() > rooms_.limits.tags_max)
        why_not = Detail::too_many_tags;
    else if (vary.names.size() > rooms_.limits.vary_names_max)
        why_not = Detail::vary_too_wide;
    // Rule 5: what was invalidated while it was fetched is answered to those who asked before, and forgotten.
    else if (rooms_.engine.judge(parts.fence, parts.tags) > coherence::Validity::stale)
        why_not = Detail::fenced;
    else {
        switch (rooms_.store.put(entry, vary)) {
            case store::MemoryStore::Put::stored:
                rooms_.metrics.add(base::Counter::stored);
                if (!parts.search_key.empty()) put_signposts(rooms_, plan.uri(), parts);
                share(plan, entry, vary);
                return true;
            case store::MemoryStore::Put::older_fence: why_not = Detail::fenced; break;
            case store::MemoryStore::Put::too_large: why_not = Detail::too_large; break;
        }
    }
    return false;
}

}  // namespace etage::flow
