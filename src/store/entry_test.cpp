#include "store/entry_fixture.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace etage::store {
namespace {

using testing::entry_of;
using testing::parts_of;

TEST(Entry, KeepsWhatItWasMadeOf) {
    EntryParts parts = parts_of({.key = "GET /posts", .secondary_key = "de", .fence = 7, .body_bytes = 3});
    parts.tags = {1, 2, 3};
    parts.status = 404;
    const auto entry = base::make_ref<const Entry>(std::move(parts));
    EXPECT_EQ(entry->parts().key, "GET /posts");
    EXPECT_EQ(entry->parts().secondary_key, "de");
    EXPECT_EQ(entry->parts().tags, (std::vector<TagHash>{1, 2, 3}));
    EXPECT_EQ(entry->parts().status, 404);
    EXPECT_EQ(entry->representation(http::Coding::identity).body->view(), "xxx");
    EXPECT_FALSE(entry->representation(http::Coding::gzip).body);
}

TEST(Entry, IsValidAtItsFenceUntilFoundValidLater) {
    const auto entry = entry_of({.fence = 7});
    EXPECT_EQ(entry->validated_at(), 7U);
    entry->note_validated(12);
    EXPECT_EQ(entry->validated_at(), 12U);
}

TEST(Entry, OneRefreshAtATime) {
    const auto entry = entry_of({});
    EXPECT_TRUE(entry->begin_refresh());
    EXPECT_FALSE(entry->begin_refresh());
    entry->end_refresh();
    EXPECT_TRUE(entry->begin_refresh());
}

TEST(Entry, OfManyThreadsOneRefreshes) {
    const auto entry = entry_of({});
    std::atomic<int> refreshing{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) threads.emplace_back([&] { refreshing += entry->begin_refresh() ? 1 : 0; });
    }
    EXPECT_EQ(refreshing, 1);
}

TEST(Entry, TheFootprintCountsEveryPart) {
    const std::size_t bare = entry_of({})->footprint();
    EXPECT_GE(bare, sizeof(Entry) + sizeof(base::Bytes) + 18);
    EXPECT_LE(bare, sizeof(Entry) + 256);

    const std::string text(1000, 'x');
    const auto with = [&](auto&& change) {
        EntryParts parts = parts_of({});
        change(parts);
        return base::make_ref<const Entry>(std::move(parts))->footprint();
    };
    const auto expect_counted = [&](std::size_t footprint, const char* what) {
        EXPECT_GE(footprint, bare + 1000) << what;
        EXPECT_LE(footprint, bare + 1400) << what;
    };
    expect_counted(with([&](EntryParts& p) { p.key = text; }), "key");
    expect_counted(with([&](EntryParts& p) { p.secondary_key = text; }), "secondary key");
    expect_counted(with([&](EntryParts& p) { p.search_key = text; }), "search key");
    expect_counted(with([&](EntryParts& p) { p.etag = text; }), "etag");
    expect_counted(with([&](EntryParts& p) { p.last_modified = text; }), "last-modified");
    expect_counted(with([&](EntryParts& p) { p.tags.assign(125, 1); }), "tags");
    expect_counted(with([&](EntryParts& p) { p.representations[0].head_not_modified = text; }), "304 head");
    expect_counted(with([&](EntryParts& p) { p.representations[1].head = text; }), "head");
    expect_counted(with([&](EntryParts& p) { p.representations[3].etag = text; }), "etag of a coding");
    expect_counted(with([&](EntryParts& p) { p.representations[2].body = base::make_bytes(text); }), "body");
    EXPECT_GE(with([&](EntryParts& p) { p.fields.add("X-Long", text); }), bare + 1000) << "fields";
}

TEST(Entry, GivesBackWhatItsBuffersReservedInVain) {
    EntryParts parts = parts_of({});
    const std::size_t bare = entry_of({})->footprint();
    parts.key.reserve(10'000);
    parts.representations[0].head.reserve(10'000);
    parts.tags.reserve(10'000);
    EXPECT_EQ(base::make_ref<const Entry>(std::move(parts))->footprint(), bare);
}

}  // namespace
}  // namespace etage::store
