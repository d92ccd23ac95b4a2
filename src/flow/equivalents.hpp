#pragma once
// No-Vary-Search (draft-ietf-httpbis-no-vary-search-10 §7): a URI is answered by what is stored for another, when the
// stored response says that what they differ in makes no difference. Asked only when nothing is stored for the URI
// itself. How and why: docs/decisions/0007-equivalents-by-signposts.md.
//
// How it is found · A stored response puts up signposts that lead to its key: from its URI without the query, and from
// its search key, which all equivalents share. The first leads to the newest response of that path and so to its
// variance; with that the search key of the request is made, and the second leads to the shelf. Then the entry's own
// search key decides: a signpost that leads astray costs a miss, never a wrong answer.
//
// What is invalidated · An entry has the tags of its own URI, and one for all URIs equivalent to it. A purge, or an
// unsafe request, of any of them marks that tag as well, if the path's signpost still stands. If not, the entry is
// still judged by the tags of the URI that was asked for, with the entry's fence: whoever asks for what was purged is
// never answered by what is older.

#include "store/shelf.hpp"

#include <etage/sequence.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::flow {

struct Rooms;

/// What may answer a request although it is stored for another URI.
struct Equivalent {
    base::Ref<const store::Shelf> shelf;
    std::string search_key;           // that of the request; only entries with the same may answer it
    std::vector<TagHash> asked_tags;  // request_tags() of the request: the entry does not have them

    bool is(const store::Entry& entry) const noexcept { return entry.parts().search_key == search_key; }
};

// `uri` is a request_uri(), `key` a key of policy::make_key() for GET.

/// Null when there is nothing; else at least one variant on the shelf is an equivalent. `asked_tags` are left to the
/// caller.
std::unique_ptr<Equivalent> find_equivalent(const Rooms& rooms, std::string_view uri, std::string_view key);

/// What makes an entry findable for its equivalents: the search key, and its tags. Nothing without No-Vary-Search.
/// `parts` has its fields already.
void note_equivalents(store::EntryParts& parts, std::string_view uri, std::string_view key);

/// For an entry that has just been put on its shelf.
void put_signposts(const Rooms& rooms, std::string_view uri, const store::EntryParts& parts);

/// The tag of all URIs that are answered like this one, as far as it is known; with or without "http://host".
std::optional<TagHash> equivalents_tag(const Rooms& rooms, std::string_view uri);

}  // namespace etage::flow
