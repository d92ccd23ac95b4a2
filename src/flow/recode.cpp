#include "flow/recode.hpp"

#include "flow/shape.hpp"
#include "http/cache_control.hpp"
#include "http/etag.hpp"

#include <string>

namespace etage::flow {

namespace {

using http::Coding;
using http::FieldId;

/// The one element of Content-Encoding, if it is one that Etage knows.
std::optional<Coding> coding_of(http::FieldSpan fields) noexcept {
    std::optional<Coding> found;
    std::size_t elements = 0;
    http::for_each_element(fields, FieldId::content_encoding, [&](std::string_view name) {
        Coding coding{};
        ++elements;
        if (http::coding_of(name, coding) && coding != Coding::identity) found = coding;
    });
    return elements == 1 ? found : std::nullopt;
}

/// RFC 9110 §14.2: what is whole although a range was asked for is whole in the bytes the client counts. And without
/// chunks (RFC 9112 §7.1) nobody could tell an end from a loss.
bool may_be_encoded(const http::RequestHead& request) noexcept {
    return request.minor > 0 && !http::contains(request.fields, FieldId::range);
}

std::optional<Coding> wanted(const http::RequestHead& request) noexcept {
    const Coding coding = http::choose_coding(request.fields, http::CodingSet::all()).coding;
    return coding == Coding::identity ? std::nullopt : std::optional(coding);
}

}  // namespace

codec::Format format_of(Coding coding) noexcept {
    switch (coding) {
        case Coding::br: return codec::Format::brotli;
        case Coding::zstd: return codec::Format::zstd;
        case Coding::identity:
        case Coding::gzip: break;
    }
    return codec::Format::gzip;
}

std::optional<Coding> removable_coding(http::FieldSpan origin) noexcept {
    const auto coding = coding_of(origin);
    return http::parse_response_cache_control(origin).no_transform ? std::nullopt : coding;
}

bool needs_decoding(const http::RequestHead& request, const store::Entry& entry) noexcept {
    const auto coding = entry.parts().undecoded;
    return coding && !http::accepts(request.fields, *coding);
}

Recoding choose_recoding(const http::RequestHead& request, const Uncoded& response) noexcept {
    const bool whole = has_content(response.status) && response.status != 206 && response.length != 0U &&
                       !http::contains(response.fields, FieldId::content_range);
    // RFC 9111 §5.2.1.6
    if (!whole || http::parse_request_cache_control(request.fields).no_transform) return {};
    Recoding out;
    auto length = response.length;
    if (http::contains(response.fields, FieldId::content_encoding)) {
        const auto coded = removable_coding(response.fields);
        if (!coded) return {};
        out.varies = true;
        if (http::accepts(request.fields, *coded)) return out;
        out.decode = coded;
        length.reset();
    }
    if (!would_compress(response.status, response.fields, length, response.route)) return out;
    out.varies = true;
    if (may_be_encoded(request)) out.encode = wanted(request);
    return out;
}

void describe(const Recoding& recoding, http::Fields& fields) {
    if (!recoding.changes()) return;
    fields.remove(FieldId::content_encoding);
    if (recoding.encode) fields.set(FieldId::content_encoding, http::coding_name(*recoding.encode));
    fields.remove(FieldId::accept_ranges);
    fields.remove_if([](const http::Field& field) { return http::is_digest(field.name); });
    const auto etag = http::find(fields, FieldId::etag);
    if (!etag) return;
    const std::string weak = http::weakened(*etag);
    fields.remove(FieldId::etag);
    if (!weak.empty()) fields.add(FieldId::etag, weak);
}

}  // namespace etage::flow
