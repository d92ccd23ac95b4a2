#include <etage/error.hpp>

namespace etage {

namespace {

struct FaultRow {
    std::string_view name;
    int status;
};

FaultRow row(Fault f) noexcept {
    switch (f) {
        case Fault::bad_request: return {"bad-request", 400};
        case Fault::payload_too_large: return {"payload-too-large", 413};
        case Fault::uri_too_long: return {"uri-too-long", 414};
        case Fault::expectation_failed: return {"expectation-failed", 417};
        case Fault::fields_too_large: return {"fields-too-large", 431};
        case Fault::not_implemented: return {"not-implemented", 501};
        case Fault::version_unsupported: return {"version-unsupported", 505};
        case Fault::not_found: return {"not-found", 404};
        case Fault::request_timeout: return {"request-timeout", 408};
        case Fault::origin_unreachable: return {"origin-unreachable", 502};
        case Fault::origin_protocol: return {"origin-protocol", 502};
        case Fault::origin_incomplete: return {"origin-incomplete", 502};
        case Fault::origin_timeout: return {"origin-timeout", 504};
        case Fault::overloaded: return {"overloaded", 503};
        case Fault::budget_spent: return {"budget-spent", 503};
        case Fault::origin_busy: return {"origin-busy", 503};
        case Fault::cancelled: return {"cancelled", 499};
        case Fault::not_recorded: return {"not-recorded", 503};
        case Fault::internal: break;
    }
    return {"internal", 500};
}

}  // namespace

std::string_view fault_name(Fault f) noexcept { return row(f).name; }
int fault_status(Fault f) noexcept { return row(f).status; }

}  // namespace etage
