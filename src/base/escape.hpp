#pragma once
// Making foreign text harmless: for a JSON parser, for the terminal of whoever reads a line of log, for a page.

#include <string>
#include <string_view>

namespace etage::base {

/// Appends `text` as the inside of a JSON string (RFC 8259 §7), without the quotes. The result is valid UTF-8 whatever
/// the input: bytes that are not become U+FFFD. C1 control characters and DEL are escaped too.
void append_json_escaped(std::string& out, std::string_view text);

/// Appends `text` so that it stays on its line and steers no terminal: control characters (C0, DEL, C1) and quotes as
/// \n, \u001b, \"; bytes that are not UTF-8 as \x9b. Everything else as it is.
void append_text_escaped(std::string& out, std::string_view text);

/// The same, in quotes when it is empty or has spaces, quotes, '=' or anything escaped in it: a value of `key=value`.
void append_text_value(std::string& out, std::string_view text);

/// Appends `text` as text of an HTML element or of a quoted attribute.
void append_html_escaped(std::string& out, std::string_view text);

}  // namespace etage::base
