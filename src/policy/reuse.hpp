#pragma once
// May a stored response answer this request (RFC 9111 §4)?

#include "http/cache_control.hpp"
#include "http/stamps.hpp"

#include <etage/time.hpp>
#include <etage/verdict.hpp>

#include <cstdint>

namespace etage::policy {

enum class Reuse : std::uint8_t {
    fresh,        // answer with it
    stale_while,  // answer with it and refresh behind (RFC 5861 §3)
    validate,     // ask the origin first, conditionally if there is a validator
};

struct ReuseVerdict {
    Reuse reuse = Reuse::validate;
    Forward forward = Forward::none;  // when `validate`: stale or request
    Detail detail = Detail::none;     // when reused although stale: stale_while_revalidate or request_max_stale
};

/// `soft_marked`: rule 2 found a soft mark, so the entry counts as stale whatever its age, and max-stale does not help.
/// A request's no-store does not keep it from what is stored already (RFC 9111 §5.2.1.5); its max-age=0 is no-cache.
ReuseVerdict judge_reuse(const http::Stamps&, const http::RequestCacheControl&, Instant now, bool soft_marked) noexcept;

/// How the origin failed: it cannot be reached or did not answer, or it answered 5xx.
enum class OriginFailure : std::uint8_t { silent, error_status };

/// With a silent origin (RFC 9111 §4.2.4: disconnected) and no stale-if-error window, stale answers are served until
/// then.
inline constexpr Duration stale_without_origin_max = std::chrono::hours(24);

/// May it be served because the origin failed (RFC 5861 §4, RFC 9111 §4.2.4)? Never when it, or the request, demands
/// validation (no-cache), nor when it is stale and must-revalidate or a relative forbids it. Otherwise while it is
/// fresh, or within the widest of the stale-if-error windows of response, route and request and the request's
/// max-stale; a request's max-age and min-fresh do not count then (RFC 5861 §4: regardless of other freshness
/// information).
bool usable_on_error(const http::Stamps&, const http::RequestCacheControl&, Instant now,
                     OriginFailure how = OriginFailure::silent) noexcept;

}  // namespace etage::policy
