#pragma once
// Who may use the administration. It listens on loopback without a token, or anywhere with one; a browser on this
// machine is the danger then: any page it shows can send requests to 127.0.0.1.
//
// DNS rebinding · The attacker's name resolves to 127.0.0.1: the Host field still holds that name, and is refused.
// Cross-site writes · A form can POST anywhere; the browser adds its Origin, which is not ours, or says
// in Sec-Fetch-Site that the page is not, and is refused.

#include "http/message.hpp"
#include "http/uri.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace etage::gateway {

struct Refusal {
    int status = 403;
    std::string detail;  // for people
};

class Guard {
public:
    /// `token` empty: none is asked for, and only names of this machine or the listen address may stand in Host.
    Guard(std::string token, http::ListenAddress listen);

    /// Nothing when the request may pass.
    std::optional<Refusal> check(const http::RequestHead& request) const;

private:
    bool host_allowed(std::string_view authority) const;

    std::string token_;
    std::string listen_host_;
};

/// In time that depends on neither content (both are hashed first).
bool equal_secrets(std::string_view a, std::string_view b) noexcept;

}  // namespace etage::gateway
