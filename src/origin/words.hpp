#pragma once
// Durations for error messages.

#include <etage/time.hpp>

#include <string>

namespace etage::origin {

/// "30 s", "250 ms".
inline std::string in_words(Duration d) {
    using std::chrono::milliseconds;
    const auto ms = std::chrono::duration_cast<milliseconds>(d).count();
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace etage::origin
