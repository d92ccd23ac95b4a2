#pragma once
// What is said about answers, in the order of docs/check.md: freshness, validators, sharing, content. The rules on the
// text of Cache-Control are also asked of client.cache_control.

#include "gateway/lint.hpp"

namespace etage::gateway {

inline constexpr LintRule answer_rules[] = {
    // ---- the text of Cache-Control
    {"unknown-directive", LintLevel::warning, "RFC 9111 §5.2.3", "Caches ignore a directive they do not know.",
     "Write it as the standard does, or remove it."},
    {"max-age-quoted-or-invalid", LintLevel::error, "RFC 9111 §1.2.2",
     "A lifetime is a whole number of seconds without quotes; many caches take anything else for 0, some for nothing.",
     "Write max-age=60."},
    {"conflicting-max-age", LintLevel::error, "RFC 9111 §4.2.1",
     "The directive is there twice with different values: some caches take the first, others call the answer stale.",
     "Find who adds the second (framework, proxy), and keep one."},
    {"public-with-private", LintLevel::error, "RFC 9111 §5.2.2.7",
     "One says that everybody may store it, the other that only the user's browser may.",
     "Keep the one that is meant."},
    {"private-with-s-maxage", LintLevel::warning, "RFC 9111 §5.2.2.7",
     "s-maxage is for shared caches, and private keeps them from storing it.", "Keep the one that is meant."},
    {"no-store-with-max-age", LintLevel::warning, "RFC 9111 §5.2.2.5",
     "no-store forbids storing, so how long and for whom says nothing.",
     "Keep no-store alone; or remove it, if it may be stored."},
    {"no-cache-with-max-age", LintLevel::note, "RFC 9111 §5.2.2.4",
     "no-cache has every use validated, however fresh, so the lifetime says nothing.",
     "Keep no-cache alone; or remove it, if it may be used unasked."},
    {"s-maxage-disables-swr", LintLevel::warning, "RFC 9111 §5.2.2.10",
     "s-maxage means proxy-revalidate: shared caches may not use the answer stale, so the stale windows say nothing to "
     "them.",
     "Say CDN-Cache-Control: max-age=…, stale-while-revalidate=… for shared caches, and max-age for browsers; or "
     "remove "
     "the windows."},
    {"must-revalidate-disables-swr", LintLevel::warning, "RFC 9111 §5.2.2.2",
     "must-revalidate forbids every use of a stale answer, so the stale windows say nothing.",
     "Keep the one that is meant."},
    {"immutable-short", LintLevel::note, "RFC 8246 §2",
     "immutable saves the reload's question while the answer is fresh; for less than a day that is hardly anything.",
     "Say max-age=31536000 and put a hash of the content into the URL; or remove immutable."},
    // ---- freshness
    {"no-freshness", LintLevel::warning, "RFC 9111 §4.2.2",
     "Nothing says how long the answer may be used: each cache guesses, or asks again every time.",
     "Say Cache-Control: max-age=…, or no-cache, or no-store."},
    {"expires-ignored", LintLevel::warning, "RFC 9111 §5.3",
     "max-age and Expires name different lifetimes: max-age counts, and Expires misleads people and old caches.",
     "Remove Expires."},
    {"expires-invalid", LintLevel::warning, "RFC 9111 §5.3",
     "Expires is no HTTP date, so the answer counts as expired already.",
     "Write a date like \"Wed, 25 Nov 2026 07:00:00 GMT\", or better Cache-Control alone."},
    {"date-missing", LintLevel::warning, "RFC 9110 §6.6.1",
     "Without a readable Date no cache behind the first can tell how old the answer is.",
     "Have the origin send Date; every usual server does."},
    {"date-skewed", LintLevel::warning, "RFC 9111 §4.2.3",
     "Date and Age do not add up to the time of this machine: caches see an answer older, or fresher, than it is.",
     "Set the clocks (NTP) on both sides; behind a cache, see that it sends Age."},
    {"age-without-cache", LintLevel::note, "RFC 9111 §5.1",
     "Age says that the answer comes from a cache, and no other field speaks of one. If the origin writes it, it "
     "shortens "
     "the answer's life everywhere.",
     "Have the origin leave Age out; a cache should add Cache-Status or Via."},
    {"pragma-in-response", LintLevel::note, "RFC 9111 §5.4", "Pragma means nothing in a response.",
     "Remove it; Cache-Control: no-cache is what it wanted to say."},
    {"targeted-invalid", LintLevel::error, "RFC 9213 §2.1",
     "A targeted field is a Structured Dictionary. One that does not parse is ignored whole; a directive with a value "
     "of "
     "the wrong type counts for nothing, or for the worst.",
     "Write lower-case names and plain whole numbers, like CDN-Cache-Control: max-age=60, stale-if-error=600."},
    {"surrogate-control-superseded", LintLevel::note, "RFC 9213 §3",
     "Surrogate-Control was never a standard, and caches read it differently.", "Send CDN-Cache-Control."},
    // ---- validators
    {"no-validator", LintLevel::warning, "RFC 9110 §8.8",
     "Without ETag and Last-Modified a stale answer can only be fetched whole again.",
     "Send an ETag; a hash of the content will do. Etage makes one for what it stores."},
    {"weak-etag-only", LintLevel::note, "RFC 9110 §8.8.1",
     "A weak ETag validates whole answers, but neither ranges nor If-Match.",
     "Send a strong one, if the same bytes always have the same tag."},
    {"etag-unquoted", LintLevel::error, "RFC 9110 §8.8.3",
     "An entity tag stands between quotes. Without them caches and browsers ignore it, or never match it.",
     "Write ETag: \"…\"."},
    {"etag-changes-for-same-content", LintLevel::warning, "RFC 9110 §8.8.3",
     "Two answers with the same content had different ETags, so hardly any question with If-None-Match is answered "
     "304.",
     "Make the tag from the content or its version, not from time, process or machine."},
    {"etag-same-for-other-content", LintLevel::error, "RFC 9110 §8.8.1",
     "Two answers with different content had the same strong ETag: clients put ranges of both together, and keep the "
     "old "
     "one on a 304.",
     "Make the tag change with every byte, or mark it weak: W/\"…\"."},
    {"etag-same-across-codings", LintLevel::error, "RFC 9110 §8.8.3.3",
     "The same strong ETag stands for compressed and plain bytes, which are different representations.",
     "Give each coding its own tag, or mark it weak: W/\"…\"."},
    {"last-modified-invalid", LintLevel::warning, "RFC 9110 §8.8.2",
     "Last-Modified is no HTTP date, or later than Date: caches ignore it.",
     "Send the time of the last change, in GMT."},
    {"conditional-ignored", LintLevel::warning, "RFC 9110 §13.1.2",
     "The answer's own validator was sent back and answered with the whole content: validators cost and save nothing.",
     "Have the origin compare If-None-Match and If-Modified-Since, and answer 304."},
    {"not-modified-lacks-fields", LintLevel::warning, "RFC 9110 §15.4.5",
     "A 304 renews the stored answer with the fields it carries; what it leaves out stays as old as it was.",
     "Send Cache-Control, Content-Location, Date, ETag, Expires and Vary in a 304 as in the 200."},
    {"head-differs", LintLevel::warning, "RFC 9110 §9.3.2",
     "HEAD does not say what GET says, and caches renew, or drop, the stored GET by it.",
     "Answer HEAD with the code that answers GET, and leave the content out."},
    // ---- sharing
    {"set-cookie-cacheable", LintLevel::error, "RFC 9111 §7.3",
     "Set-Cookie does not keep caches from storing: whoever is answered from one gets the cookie of somebody else.",
     "Say Cache-Control: private, or no-store; or set no cookie here."},
    {"authorization-public", LintLevel::error, "RFC 9111 §3.5",
     "The answer to a request with credentials allows shared caches to keep it for everybody, and without credentials "
     "the answer is another one.",
     "Say Cache-Control: private."},
    {"vary-star", LintLevel::warning, "RFC 9111 §4.1", "Vary: * keeps caches from ever using the answer again.",
     "Name the request fields that matter, or say no-store."},
    {"vary-cookie", LintLevel::warning, "RFC 9110 §12.5.5",
     "Nearly every client has cookies of its own, so shared caches keep one answer for each and hardly ever use it.",
     "Say Cache-Control: private where it depends on the user, and leave Cookie out where it does not."},
    {"vary-user-agent", LintLevel::warning, "RFC 9110 §12.5.5",
     "There are thousands of values of User-Agent, so caches keep thousands of answers.",
     "Answer all alike, or vary on a client hint with few values."},
    {"vary-missing-accept-encoding", LintLevel::error, "RFC 9110 §12.5.5",
     "The content is compressed for those who ask, and nothing tells caches that it depends on that: they send it to "
     "clients that cannot read it.",
     "Send Vary: Accept-Encoding with both forms."},
    {"no-vary-search-invalid", LintLevel::warning, "No-Vary-Search §5",
     "No-Vary-Search is ignored whole when any part of it is wrong: every query is an answer of its own.",
     "Write params=(\"utm_source\" \"utm_medium\"), or except=(\"id\") instead; names are strings; key-order if the "
     "order makes no difference."},
    {"no-vary-search-draft", LintLevel::note, "No-Vary-Search §5",
     "params without a list is how drafts spelled it. Browsers and Etage still take it; caches that know only the "
     "standard ignore the field.",
     "Write except=() for params, and except=(\"id\") for params, except=(\"id\")."},
    // ---- content
    {"compressible-uncompressed", LintLevel::note, "RFC 9110 §8.4",
     "Text that the client would take compressed is sent as it is.",
     "Compress at the origin, or put Etage in front: it compresses what it stores."},
    {"transfer-no-length", LintLevel::warning, "RFC 9112 §8",
     "Only the end of the connection ends the content: one that was cut looks whole, and is stored so.",
     "Send Content-Length, or chunked."},
    {"probe-unanswered", LintLevel::warning, "",
     "A request of this check got no usable answer, so some rules were not asked.",
     "Look at the server's log; clients send such requests too."},
};

consteval const LintRule& answer_rule(std::string_view id) { return lint_rule(answer_rules, id); }

}  // namespace etage::gateway
