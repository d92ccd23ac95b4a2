#include "serve/timing.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace etage::serve {

void append_server_timing(http::FieldTail& tail, const Verdict& verdict, Duration took) noexcept {
    const double ms = std::max(0.0, std::chrono::duration<double, std::milli>(took).count());
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), ms, std::chars_format::fixed, 3).ptr;
    tail.begin("Server-Timing: ");
    tail.text("etage;desc=");
    tail.text(verdict.hit ? std::string_view("hit") : forward_name(verdict.forward));
    tail.text(";dur=");
    tail.text({digits.data(), static_cast<std::size_t>(end - digits.data())});
    tail.end();
}

}  // namespace etage::serve
