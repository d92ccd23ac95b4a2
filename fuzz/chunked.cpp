// Any bytes as chunked content: decoded the same however they arrive, never beyond the end of the message; and what is
// framed by us comes back.

#include "http/h1_body.hpp"
#include "http/h1_writer.hpp"

#include "fuzz.hpp"

#include <algorithm>
#include <array>
#include <string>

using namespace etage;

namespace {

struct Decoded {
    std::string content;
    std::size_t consumed = 0;
    bool finished = false;
    bool failed = false;
};

Decoded decode(std::string_view bytes, std::size_t piece) {
    http::BodyDecoder decoder(http::BodyKind::chunked, 0);
    Decoded out;
    for (std::size_t there = std::min(piece, bytes.size());; there = std::min(there + piece, bytes.size())) {
        for (bool moves = true; moves;) {
            const auto step = decoder.step(bytes.substr(out.consumed, there - out.consumed));
            out.finished = step.finished;
            out.failed = step.failed;
            if (step.failed) return out;
            fuzz::require(step.consumed <= there - out.consumed && step.content.size() <= step.consumed);
            out.consumed += step.consumed;
            out.content += step.content;
            moves = step.consumed > 0 && !step.finished;
        }
        if (out.finished || there == bytes.size()) break;
        fuzz::require(out.consumed == there);  // nothing is left to be fed again
    }
    fuzz::require(out.finished == decoder.finished());
    return out;
}

bool same(const Decoded& a, const Decoded& b) {
    if (a.failed || b.failed) return a.failed == b.failed;
    return a.content == b.content && a.consumed == b.consumed && a.finished == b.finished;
}

std::string framed(std::string_view content, std::size_t chunk) {
    std::string out;
    std::array<char, 20> line;
    for (; !content.empty(); content.remove_prefix(std::min(chunk, content.size()))) {
        const auto piece = content.substr(0, chunk);
        ((out += http::chunk_head(line, piece.size())) += piece) += "\r\n";
    }
    return out += http::last_chunk;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::text_of(data, size);
    const auto whole = decode(bytes, std::max<std::size_t>(size, 1));
    for (const std::size_t piece : {1u, 2u, 7u}) fuzz::require(same(whole, decode(bytes, piece)));
    if (whole.finished) fuzz::require(same(whole, decode(bytes.substr(0, whole.consumed), size)));

    for (const std::size_t chunk : {1u, 5u, 4096u}) {
        const auto message = framed(bytes, chunk);
        const auto back = decode(message + "GET", 11);
        fuzz::require(back.finished && back.content == bytes && back.consumed == message.size());
    }
    return 0;
}
