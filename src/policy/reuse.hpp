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
    Forward forward = Forward::none;   // when `validate`: stale or request
    Detail detail = Detail::none;      // when reused although stale: stale_while_revalidate or request_max_stale
};

/// `soft_marked`: rule 2 found a soft mark, so the entry counts as stale whatever its age.
ReuseVerdict judge_reuse(const http::Stamps&, const http::RequestCacheControl&, Instant now, bool soft_marked) noexcept;

/// May it be served because the origin failed (RFC 5861 §4, RFC 9111 §4.2.4)?
bool usable_on_error(const http::Stamps&, const http::RequestCacheControl&, Instant now) noexcept;

}  // namespace etage::policy
