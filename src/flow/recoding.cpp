// Step 8 for content that comes from no entry: it is encoded for who takes a coding, and decoded for who does not take
// the one it came in, as it passes.
//
// Invariant: a stream stays a stream. Each piece is worked on and sent before the next is asked for, and of content
// whose length nobody knows each piece can be decoded as soon as it is there.

#include "flow/recoding.hpp"

#include "net/whole_body.hpp"
#include "policy/select.hpp"

namespace etage::flow {

namespace {

/// Counts one of `most` while it lives; null when there are as many already.
std::shared_ptr<void> take_permit(const std::shared_ptr<std::atomic<std::size_t>>& taken, std::size_t most) {
    const bool free = taken->fetch_add(1, std::memory_order_relaxed) < most;
    std::shared_ptr<void> permit(taken.get(), [taken](void*) { taken->fetch_sub(1, std::memory_order_relaxed); });
    return free ? permit : nullptr;
}

}  // namespace

/// Does it, and says what was done: what is not worth it after all, or one stream too many, stays as it is. A HEAD is
/// told what a GET would be.
Recoding Walk::recode(const Visit& visit, const Recoding& recoding, Content& content) {
    Recoding as_it_is;
    as_it_is.varies = recoding.varies;
    const std::size_t here = content.whole ? content.whole->size() : 0;
    if (here > 0 && here <= CodedBody::at_once_bytes_max && !recoding.decode) {
        auto coded = codec::encode(format_of(*recoding.encode), content.whole->view(), codec::Effort::fast);
        if (!coded) return as_it_is;
        rooms_.metrics.add(base::Counter::compressions);
        content.sent.length = coded->size();
        content.whole = base::make_bytes(*std::move(coded));
        return recoding;
    }
    if (visit.request.method != http::Method::head) {
        auto permit = take_permit(rooms_.coded_streams, rooms_.limits.coded_streams_max);
        if (!permit) return as_it_is;
        if (!content.stream) content.stream = std::make_shared<net::WholeBody>(std::move(content.whole));
        const CodedBody::Workplace workplace{rooms_.compressors, std::move(permit)};
        if (recoding.decode) content.stream = decoded(visit, *recoding.decode, std::move(content.stream), workplace);
        if (recoding.encode) {
            const bool prompt = !content.sent.length;
            content.stream = std::make_shared<EncodedBody>(std::move(content.stream), workplace,
                                                           format_of(*recoding.encode), prompt);
            rooms_.metrics.add(base::Counter::compressions);
        }
    }
    content.sent.length.reset();
    return recoding;
}

std::shared_ptr<net::BodySource> Walk::decoded(const Visit& visit, http::Coding coding,
                                               std::shared_ptr<net::BodySource> content,
                                               const CodedBody::Workplace& workplace) {
    rooms_.metrics.add(base::Counter::decodings);
    const auto complain = [this, target = std::string(visit.request.target)](std::string_view why) {
        rooms_.metrics.add(base::Counter::decode_failures);
        rooms_.log.warn("answer cut", {{"target", target}, {"what", why}});
    };
    const codec::DecodeLimits limits{rooms_.limits.decoded_stream_bytes_max, decoded_ratio_max};
    return std::make_shared<DecodedBody>(std::move(content), workplace, format_of(coding), limits, complain);
}

void Walk::present_content(const Visit& visit, Content content, Answer& out) {
    Recoding recoding = choose_recoding(visit.request, content.sent);
    if (recoding.changes()) recoding = recode(visit, recoding, content);
    describe(recoding, content.fields);
    present_response(visit, content.sent.status, content.reason, content.fields, content.sent.length, recoding.varies,
                     out);
    if (out.head_only) return;
    out.stream = std::move(content.stream);
    if (out.stream || !content.whole) return;
    out.owned_body = std::move(content.whole);
    out.body = out.owned_body->view();
}

/// What an entry holds in one coding only is decoded for each client that does not take it.
Presented Walk::give_entry(const Visit& visit, base::Ref<const store::Entry> entry, Answer& out) {
    if (!needs_decoding(visit.request, *entry)) return present_entry(visit, std::move(entry), out);
    const store::EntryParts& parts = entry->parts();
    const auto choice = policy::select(
        visit.request, {parts.status, parts.etag, parts.last_modified, parts.codings, parts.fields}, visit.now.wall);
    if (choice.shape != policy::Shape::full) return present_entry(visit, std::move(entry), out);
    const store::Representation& sent = entry->as_sent();
    present_content(visit,
                    {{parts.status, parts.fields, sent.body->size(), visit.notes.match.route},
                     {},
                     fields_of_head(sent.head),
                     nullptr,
                     sent.body},
                    out);
    return {};
}

void Walk::serve_decoded(Visit& visit, Answer& out) {
    out.verdict.detail = visit.notes.detail;
    finish_hit(visit, visit.notes.entry, out);
}

void Walk::give_arriving(const Visit& visit, const Arriving& arriving, std::shared_ptr<net::BodySource> reader,
                         Answer& out) {
    const Uncoded sent{arriving.status, arriving.fields, arriving.content_length, visit.notes.match.route};
    auto fields = client_fields(arriving.fields, {visit.notes.match.route, visit.notes.per_user(), visit.now.wall});
    const Recoding recoding = choose_recoding(visit.request, sent);
    http::Fields described = fields;
    describe(recoding, described);
    if (present_condition(visit, arriving, described, recoding.varies, out)) return;
    present_content(visit, {sent, {}, std::move(fields), std::move(reader), nullptr}, out);
}

}  // namespace etage::flow
