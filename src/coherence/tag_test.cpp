#include "coherence/tag.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace etage::coherence {
namespace {

constexpr TagKind all_kinds[] = {TagKind::everything, TagKind::surrogate, TagKind::key,   TagKind::uri,
                                 TagKind::prefix,     TagKind::host,      TagKind::route, TagKind::user};

TEST(Tag, TravelsThroughTheLogSoItsHashNeverChanges) {
    EXPECT_EQ(tag_hash(TagKind::surrogate, "posts"), tag_hash(TagKind::surrogate, std::string("posts")));
    EXPECT_EQ(tag_hash(TagKind::everything, ""), 0x602B0E2CD6662C8BU);
    EXPECT_EQ(tag_hash(TagKind::surrogate, "posts"), 0x1BA6975330D10A9EU);
    EXPECT_EQ(tag_hash(TagKind::uri, "http://api.example/posts?limit=10&category=a-rather-long-one"),
              0x70B00788E4AE4A1U);
}

TEST(Tag, TheKindIsPartOfTheName) {
    std::set<TagHash> hashes;
    for (const TagKind kind : all_kinds) hashes.insert(tag_hash(kind, "/posts"));
    EXPECT_EQ(hashes.size(), std::size(all_kinds));
}

// With neighbouring seeds XXH3 gives one hash to (1, "x") and (2, "y") for some one-byte x and y.
TEST(Tag, NoShortTextOfOneKindImitatesAnotherKind) {
    std::set<TagHash> hashes;
    std::size_t names = 0;
    for (const TagKind kind : all_kinds) {
        hashes.insert(tag_hash(kind, ""));
        ++names;
        for (int a = 0; a < 256; ++a) {
            const char one[] = {static_cast<char>(a)};
            hashes.insert(tag_hash(kind, {one, 1}));
            ++names;
            for (int b = 0; b < 256; b += 5) {
                const char two[] = {static_cast<char>(a), static_cast<char>(b)};
                hashes.insert(tag_hash(kind, {two, 2}));
                ++names;
            }
        }
    }
    EXPECT_EQ(hashes.size(), names);
}

}  // namespace
}  // namespace etage::coherence
