#pragma once
// Which directives govern this cache: those of a targeted field (RFC 9213), else Cache-Control.

#include "http/cache_control.hpp"
#include "http/message.hpp"

#include <string_view>

namespace etage::policy {

/// Our name in Surrogate-Control's targets ("max-age=60;etage") and in Surrogate-Capability (Edge Architecture, W3C
/// Note 2001).
inline constexpr std::string_view surrogate_name = "etage";
inline constexpr std::string_view surrogate_capability = "etage=\"Surrogate/1.0\"";

struct GoverningDirectives {
    http::ResponseCacheControl cc;  // borrows from the response
    bool targeted = false;          // then Cache-Control and Expires say nothing to us (RFC 9213 §2.2)
};

/// The first of Etage-Cache-Control and CDN-Cache-Control that is a Dictionary (RFC 9651) and not empty; one that is
/// not, is as if it were not there (RFC 9213 §2.1). Then Surrogate-Control, the older way, with max-age and no-store.
/// `cache_control` is the parsed Cache-Control of the same response.
GoverningDirectives governing_directives(http::FieldSpan response,
                                         const http::ResponseCacheControl& cache_control) noexcept;

}  // namespace etage::policy
