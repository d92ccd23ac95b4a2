#include "coherence/tag.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace etage::coherence {
namespace {

constexpr TagKind all_kinds[] = {TagKind::everything, TagKind::surrogate, TagKind::key,   TagKind::uri,
                                 TagKind::prefix,     TagKind::host,      TagKind::route, TagKind::user};

// What `printf '\001posts' | sha256sum` begins with.
TEST(Tag, LiesInRedisSoItsHashNeverChanges) {
    EXPECT_EQ(tag_hash(TagKind::surrogate, "posts"), tag_hash(TagKind::surrogate, std::string("posts")));
    EXPECT_EQ(tag_hash(TagKind::everything, ""), 0x6E340B9CFFB37A98U);
    EXPECT_EQ(tag_hash(TagKind::surrogate, "posts"), 0x5593E840A972194DU);
    EXPECT_EQ(tag_hash(TagKind::uri, "http://api.example/posts?limit=10&category=a-rather-long-one"),
              0xFCAA694B659D1140U);
}

// Found in seven seconds when tags were XXH3 with a known seed: whoever may write to it invalidated everything.
TEST(Tag, NoUriStandsForEverything) {
    EXPECT_NE(tag_hash(TagKind::uri,
                       "http://api.test/aaaaaaaaaaaaaaaa-UKf-UKfiO9EjPL-SxfpSxfpZXEPtoY2ubXeubXeAipJf0WZhZ-"
                       "nhZ-ns7dhAX9eaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
              tag_hash(TagKind::everything, ""));
}

TEST(Tag, TheKindIsPartOfTheName) {
    std::set<TagHash> hashes;
    for (const TagKind kind : all_kinds) hashes.insert(tag_hash(kind, "/posts"));
    EXPECT_EQ(hashes.size(), std::size(all_kinds));
}

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
