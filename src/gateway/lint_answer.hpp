#pragma once
// What a live server says about caching, judged from a handful of answers. Pure: who asks is apps/etage.

#include "gateway/lint.hpp"
#include "http/cache_control.hpp"
#include "http/message.hpp"

#include <etage/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etage::gateway {

/// One answer as it came.
struct Observed {
    int status = 0;
    http::Fields fields;
    http::BodyKind framing = http::BodyKind::none;
    std::string content;
    bool whole = true;    // false: there was more than was read
    WallTime received{};  // when its head was here
};

/// Answers to requests for one URL, each sent once. What was not asked, or not answered, is not there.
struct Observations {
    Observed first;                                               // GET; Accept-Encoding: identity
    std::optional<Observed> again;                                // the same once more
    std::optional<Observed> gzip;                                 // Accept-Encoding: gzip
    std::optional<Observed> conditional;                          // with the validator of the first
    std::optional<Observed> head;                                 // HEAD
    std::optional<Observed> anonymous;                            // without the credentials the others had
    std::vector<std::pair<std::string, std::string>> unanswered;  // request, what happened
};

/// Every rule of lint_answer_rules.hpp. `where` is the URL.
Findings lint_answers(const Observations&, std::string_view where);

// The rooms, one for each part of the table.
void lint_freshness(const Observations&, std::string_view where, Findings&);
void lint_validators(const Observations&, std::string_view where, Findings&);
void lint_sharing(const Observations&, std::string_view where, Findings&);
void lint_content(const Observations&, std::string_view where, Findings&);

/// True when both have the same content, as far as it was read. Shared by the rooms.
bool same_content(const Observed&, const Observed&) noexcept;
/// "Name: value", or "no Name".
std::string field_text(const Observed&, http::FieldId);

}  // namespace etage::gateway
