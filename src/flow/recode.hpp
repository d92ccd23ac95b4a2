#pragma once
// Which coding content is sent in that comes from no entry (step 8): what arrives, what is nobody else's, what an entry
// holds in one coding only.

#include "codec/coding.hpp"
#include "http/message.hpp"
#include "http/negotiation.hpp"
#include "policy/route.hpp"
#include "store/entry.hpp"

#include <cstdint>
#include <optional>

namespace etage::flow {

/// Of identity: gzip, so that there is an answer.
codec::Format format_of(http::Coding) noexcept;

/// The coding that this content came in, if it can and may be taken away, once it is whole: one that Etage knows,
/// without no-transform. What comes in several codings stays as it is.
std::optional<http::Coding> removable_coding(http::FieldSpan origin) noexcept;

/// The entry holds what it could not decode, and this request does not take that.
bool needs_decoding(const http::RequestHead&, const store::Entry&) noexcept;

/// What is done with the content on its way.
struct Recoding {
    std::optional<http::Coding> decode{};  // from …
    std::optional<http::Coding> encode{};  // … to
    bool varies = false;                   // by Accept-Encoding: for another request it might be something else

    bool changes() const noexcept { return decode.has_value() || encode.has_value(); }
};

/// A response as the origin sent it.
struct Uncoded {
    int status = 200;
    http::FieldSpan fields;
    std::optional<std::uint64_t> length;
    const policy::Route* route = nullptr;
};
Recoding choose_recoding(const http::RequestHead&, const Uncoded&) noexcept;

/// Changes the fields to those of the content as it will be sent. Its ETag becomes weak: with other pieces, or another
/// version of a library, its bytes would be others (RFC 9110 §8.8.1). Vary is the caller's.
void describe(const Recoding&, http::Fields&);

}  // namespace etage::flow
