#include "flow/cache_status.hpp"

namespace etage::flow {

void append_cache_status(http::FieldTail& tail, const Verdict& v) noexcept {
    tail.begin("Cache-Status: ");
    tail.text("etage");
    if (v.hit) tail.text("; hit");
    if (v.forward != Forward::none) {
        tail.text("; fwd=");
        tail.text(forward_name(v.forward));
        if (v.forward_status != 0) {
            tail.text("; fwd-status=");
            tail.number(v.forward_status);
        }
        if (v.stored) tail.text("; stored");
        if (v.collapsed) tail.text("; collapsed");
    }
    if (v.has_ttl) {
        tail.text("; ttl=");
        tail.number(v.ttl_s);
    }
    if (v.detail != Detail::none) {
        tail.text("; detail=");
        tail.text(detail_name(v.detail));
    }
    tail.end();
}

}  // namespace etage::flow
