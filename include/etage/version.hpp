#pragma once
// The version of this code. The build refuses to go on when it is not the project's.

#include <string_view>

namespace etage {

inline constexpr std::string_view version = "0.1.0";

}  // namespace etage
