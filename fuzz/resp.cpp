// Any bytes as replies of a server: the same replies and the same judgement in whatever pieces they come, within the
// bounds; and what was read, written as RESP again, is read the same.

#include "redis/resp.hpp"

#include "fuzz.hpp"

#include <string>
#include <vector>

using namespace etage;
using redis::Reply;

namespace {

constexpr std::size_t reply_bytes_max = 4096;

bool same(const Reply& a, const Reply& b) {
    if (a.kind != b.kind || a.integer != b.integer || a.text != b.text || a.elements.size() != b.elements.size())
        return false;
    for (std::size_t i = 0; i < a.elements.size(); ++i)
        if (!same(a.elements[i], b.elements[i])) return false;
    return true;
}

std::size_t size_of(const Reply& reply) {
    std::size_t bytes = reply.text.size();
    for (const Reply& element : reply.elements) bytes += size_of(element);
    return bytes;
}

struct Seen {
    std::vector<Reply> replies;
    bool well = true;
};

Seen read(std::string_view bytes, std::size_t piece) {
    redis::ReplyReader reader(reply_bytes_max);
    Seen seen;
    for (; seen.well && !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
        seen.well = reader.read(bytes.substr(0, piece), [&](Reply&& reply) {
            seen.replies.push_back(std::move(reply));
            return true;
        });
    fuzz::require(seen.well == reader.error().empty());
    return seen;
}

void append(std::string& out, const Reply& reply) {
    switch (reply.kind) {
        case Reply::Kind::nil: out += "$-1\r\n"; return;
        case Reply::Kind::status: out += "+" + reply.text + "\r\n"; return;
        case Reply::Kind::error: out += "-" + reply.text + "\r\n"; return;
        case Reply::Kind::integer: out += ":" + std::to_string(reply.integer) + "\r\n"; return;
        case Reply::Kind::bulk: redis::append_word(out, reply.text); return;
        case Reply::Kind::array: redis::append_word_count(out, reply.elements.size());
    }
    for (const Reply& element : reply.elements) append(out, element);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::text_of(data, size);
    const Seen whole = read(bytes, bytes.size() + 1);
    for (const std::size_t piece : {1U, 7U}) {
        const Seen again = read(bytes, piece);
        // A reply over the bound may be complete when it comes in one piece; never the other way round.
        fuzz::require(again.replies.size() <= whole.replies.size());
        for (std::size_t i = 0; i < again.replies.size(); ++i) fuzz::require(same(again.replies[i], whole.replies[i]));
        if (size <= reply_bytes_max)
            fuzz::require(again.well == whole.well && again.replies.size() == whole.replies.size());
    }

    std::string rewritten;
    for (const Reply& reply : whole.replies) {
        fuzz::require(size_of(reply) <= size);
        append(rewritten, reply);
    }
    const Seen reread = read(rewritten, rewritten.size() + 1);
    fuzz::require(reread.well && reread.replies.size() == whole.replies.size());
    for (std::size_t i = 0; i < reread.replies.size(); ++i) fuzz::require(same(reread.replies[i], whole.replies[i]));
    return 0;
}
