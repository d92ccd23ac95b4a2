// Lines of Cache-Control: views stay inside the field, numbers inside their bounds, and a further line never makes a
// response last longer.

#include "http/cache_control.hpp"

#include "fuzz.hpp"

#include <vector>

using namespace etage;
using http::FieldId;

namespace {

void require_inside(std::string_view view, std::string_view whole) {
    fuzz::require(view.empty() ||
                  (view.data() >= whole.data() && view.data() + view.size() <= whole.data() + whole.size()));
}

void require_bounded(std::optional<http::Seconds> seconds) {
    fuzz::require(!seconds || (*seconds >= 0 && *seconds <= http::Seconds{1} << 31));
}

void require_no_longer(const http::ResponseCacheControl& fewer, const http::ResponseCacheControl& more) {
    fuzz::require(!fewer.no_store || more.no_store);
    fuzz::require(!fewer.no_cache || more.no_cache);
    fuzz::require(!fewer.is_private || more.is_private);
    fuzz::require(!fewer.must_revalidate || more.must_revalidate);
    fuzz::require(!fewer.max_age || more.max_age <= fewer.max_age);
    fuzz::require(!fewer.s_maxage || more.s_maxage <= fewer.s_maxage);
    fuzz::require(!fewer.stale_if_error || more.stale_if_error <= fewer.stale_if_error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    std::string_view rest = text;
    std::vector<http::Field> fields;
    while (!rest.empty()) fields.push_back({"Cache-Control", fuzz::take_line(rest), FieldId::cache_control});

    const auto response = http::parse_response_cache_control(fields);
    require_inside(response.no_cache_fields, text);
    require_inside(response.private_fields, text);
    for (const auto seconds :
         {response.max_age, response.s_maxage, response.stale_while_revalidate, response.stale_if_error})
        require_bounded(seconds);
    if (!fields.empty())
        require_no_longer(http::parse_response_cache_control(http::FieldSpan(fields).first(fields.size() - 1)),
                          response);

    const auto request = http::parse_request_cache_control(fields);
    for (const auto seconds : {request.max_age, request.min_fresh, request.max_stale, request.stale_if_error})
        require_bounded(seconds);
    fuzz::require(!request.any_stale || !request.max_stale);

    const http::Field age{"Age", text, FieldId::age};
    require_bounded(http::parse_age({&age, 1}));
    return 0;
}
