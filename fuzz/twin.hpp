#pragma once
// A reader of requests that is sloppy on purpose, as some real server is or was: what a gateway forwards must mean the
// same to it.

#include "http/message.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etage::fuzz {

/// What a reader made of a request: its target, and how long its content is.
using Understood = std::pair<std::string, std::size_t>;

struct Twin {
    bool length_first = false;        // Content-Length wins over Transfer-Encoding
    bool chunked_anywhere = false;    // a coding that holds the word will do
    bool lone_lf = false;             // ends a line
    bool joins_folds = false;         // a line that begins with a blank goes on the one before
    bool cuts_at_nul = false;         // the rest of the line is not there
    bool underscore_is_dash = false;  // in field names
    bool strtol_numbers = false;      // blanks, signs, 0x; the rest is not looked at

    /// All whole requests at the front of `bytes`, which is left with what is behind them.
    std::vector<Understood> read(std::string_view& bytes) const;

private:
    struct Framing {
        bool chunked = false;
        std::size_t length = 0;
    };

    std::optional<std::string> take_line(std::string_view& bytes) const;
    std::optional<std::vector<std::string>> take_head(std::string_view& bytes) const;
    std::optional<std::size_t> take_chunks(std::string_view& bytes) const;
    Framing framing_of(const std::vector<std::string>& lines) const;
    std::size_t number(std::string text, int base) const;
};

inline std::optional<std::string> Twin::take_line(std::string_view& bytes) const {
    const auto end = bytes.find(lone_lf ? "\n" : "\r\n");
    if (end == bytes.npos) return std::nullopt;
    std::string line(bytes.substr(0, end));
    bytes.remove_prefix(end + (lone_lf ? 1 : 2));
    if (lone_lf && line.ends_with('\r')) line.pop_back();
    if (cuts_at_nul) line.resize(std::min(line.find('\0'), line.size()));
    return line;
}

inline std::optional<std::vector<std::string>> Twin::take_head(std::string_view& bytes) const {
    std::vector<std::string> lines;
    for (;;) {
        auto line = take_line(bytes);
        if (!line) return std::nullopt;
        if (line->empty() && !lines.empty()) return lines;
        if (line->empty()) continue;
        if (joins_folds && !lines.empty() && (line->front() == ' ' || line->front() == '\t'))
            lines.back() += *line;
        else
            lines.push_back(*std::move(line));
    }
}

inline std::size_t Twin::number(std::string text, int base) const {
    if (strtol_numbers) return static_cast<std::size_t>(std::strtoull(text.c_str(), nullptr, base));
    text.erase(std::ranges::find(text, ';'), text.end());
    const bool digits = text.find_first_not_of(base == 16 ? "0123456789abcdefABCDEF" : "0123456789") == text.npos;
    return digits ? static_cast<std::size_t>(std::strtoull(text.c_str(), nullptr, base)) : 0;
}

inline Twin::Framing Twin::framing_of(const std::vector<std::string>& lines) const {
    Framing out;
    bool has_length = false;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto colon = std::min(lines[i].find(':'), lines[i].size());
        std::string name = lines[i].substr(0, colon);
        std::string value = lines[i].substr(std::min(colon + 1, lines[i].size()));
        if (underscore_is_dash) std::ranges::replace(name, '_', '-');
        value.erase(0, std::min(value.find_first_not_of(" \t"), value.size()));
        value.erase(value.find_last_not_of(" \t\r") + 1);
        if (http::iequals(name, "content-length")) {
            out.length = number(value, 10);
            has_length = true;
        } else if (http::iequals(name, "transfer-encoding")) {
            out.chunked |= http::iequals(value, "chunked") || (chunked_anywhere && value.contains("chunked"));
        }
    }
    out.chunked = out.chunked && !(length_first && has_length);
    return out;
}

inline std::optional<std::size_t> Twin::take_chunks(std::string_view& bytes) const {
    for (std::size_t length = 0;;) {
        const auto line = take_line(bytes);
        if (!line) return std::nullopt;
        const std::size_t size = number(*line, 16);
        if (size == 0) {
            for (;;) {
                const auto trailer = take_line(bytes);
                if (!trailer) return std::nullopt;
                if (trailer->empty()) return length;
            }
        }
        if (bytes.size() < size) return std::nullopt;
        bytes.remove_prefix(size);
        length += size;
        if (!take_line(bytes)) return std::nullopt;
    }
}

inline std::vector<Understood> Twin::read(std::string_view& bytes) const {
    std::vector<Understood> out;
    for (std::string_view rest = bytes;; bytes = rest) {
        const auto lines = take_head(rest);
        if (!lines) return out;
        Framing framing = framing_of(*lines);
        if (framing.chunked) {
            const auto length = take_chunks(rest);
            if (!length) return out;
            framing.length = *length;
        } else {
            if (rest.size() < framing.length) return out;
            rest.remove_prefix(framing.length);
        }
        const std::string& start = lines->front();
        const auto begin = std::min(start.find(' '), start.size() - 1) + 1;
        out.emplace_back(start.substr(begin, start.find(' ', begin) - begin), framing.length);
    }
}

inline constexpr Twin twins[] = {
    {},
    {.length_first = true},
    {.chunked_anywhere = true},
    {.lone_lf = true},
    {.joins_folds = true},
    {.cuts_at_nul = true},
    {.underscore_is_dash = true},
    {.strtol_numbers = true},
    {true, true, true, true, true, true, true},
};

}  // namespace etage::fuzz
