// How the content comes.

#include "codec/compressible.hpp"
#include "gateway/lint_answer.hpp"
#include "gateway/lint_answer_rules.hpp"

namespace etage::gateway {

using http::FieldId;

void lint_content(const Observations& seen, std::string_view where, Findings& out) {
    const Observed& first = seen.first;
    if (first.framing == http::BodyKind::until_close)
        out.add(answer_rule("transfer-no-length"), where, "neither Content-Length nor chunked");
    if (!seen.gzip || seen.gzip->status != 200) return;
    const Observed& gzip = *seen.gzip;
    const auto type = http::find(gzip.fields, FieldId::content_type).value_or("");
    if (!http::contains(gzip.fields, FieldId::content_encoding) && codec::is_compressible(type) &&
        gzip.content.size() >= codec::compress_bytes_min &&
        !http::parse_response_cache_control(gzip.fields).no_transform)
        out.add(
            answer_rule("compressible-uncompressed"), where,
            std::to_string(gzip.content.size()) + (gzip.whole ? "" : " or more") + " bytes of " + std::string(type));
}

}  // namespace etage::gateway
