#pragma once
// Server-Timing (W3C): what the cache did and how long it took, for the network panel of a browser.

#include "http/h1_writer.hpp"

#include <etage/time.hpp>
#include <etage/verdict.hpp>

namespace etage::serve {

/// `etage;desc=hit;dur=0.041`: hit or why it went forward, and milliseconds from the request's head to the answer's. No
/// allocation.
void append_server_timing(http::FieldTail& tail, const Verdict& verdict, Duration took) noexcept;

}  // namespace etage::serve
