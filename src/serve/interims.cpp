#include "serve/interims.hpp"

#include "http/h1_writer.hpp"
#include "serve/connection.hpp"

#include <new>
#include <string>

namespace etage::serve {

Interims::Interims(Connection& connection) : connection_(connection.shared_from_this()) {}

void Interims::tell(int status, http::FieldSpan fields) noexcept {
    if (!connection_ || told_ == flow::interim_relayed_max) return;
    try {
        std::string text;
        http::append_status_line(text, status);
        for (const http::Field& field : fields) http::append_field(text, field.name, field.value);
        text += "\r\n";
        if (bytes_ + text.size() > flow::interim_bytes_max) return;
        ++told_;
        bytes_ += text.size();
        connection_->say_early(text);
    } catch (const std::bad_alloc&) {  // it may be lost
    }
}

}  // namespace etage::serve
