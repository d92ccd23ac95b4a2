#include "store/shelf.hpp"

#include "store/entry_fixture.hpp"

#include <gtest/gtest.h>

namespace etage::store {
namespace {

using namespace std::chrono_literals;
using testing::entry_of;
using testing::vary_on;

constexpr ShelfLimits limits{.variants_max = 4, .bytes_max = 1 << 20};
constexpr Instant later{100s};

std::vector<std::string> secondary_keys(const Shelf& shelf) {
    std::vector<std::string> out;
    for (const auto& entry : shelf.variants) out.push_back(entry->parts().secondary_key);
    return out;
}

base::Ref<const Shelf> shelf_of(const std::vector<base::Ref<const Entry>>& entries, const http::VaryNames& vary = {}) {
    base::Ref<const Shelf> shelf;
    for (const auto& entry : entries) shelf = shelf_with(shelf.get(), entry, vary, limits);
    return shelf;
}

TEST(Shelf, BeginsWithOneEntry) {
    const auto entry = entry_of({.key = "GET /posts", .secondary_key = "de"});
    const auto shelf = shelf_with(nullptr, entry, vary_on({"accept-language"}), limits);
    ASSERT_TRUE(shelf);
    EXPECT_EQ(shelf->key, "GET /posts");
    EXPECT_EQ(shelf->vary, vary_on({"accept-language"}));
    EXPECT_EQ(shelf->find("de"), entry.get());
    EXPECT_EQ(shelf->find("fr"), nullptr);
    EXPECT_EQ(shelf->find(""), nullptr);
}

TEST(ShelfRfc9111, Section4_1_VariantsStandBesideEachOtherNewestFirst) {
    const auto shelf = shelf_of({entry_of({.secondary_key = "de"}), entry_of({.secondary_key = "fr"})});
    EXPECT_EQ(secondary_keys(*shelf), (std::vector<std::string>{"fr", "de"}));
}

TEST(Shelf, AnEqualSecondaryKeyIsReplaced) {
    const auto newer = entry_of({.secondary_key = "de", .fence = 2});
    const auto shelf = shelf_of({entry_of({.secondary_key = "de"}), entry_of({.secondary_key = "fr"}), newer});
    EXPECT_EQ(secondary_keys(*shelf), (std::vector<std::string>{"de", "fr"}));
    EXPECT_EQ(shelf->find("de"), newer.get());
}

TEST(Shelf, AnEqualFenceIsReplacedToo) {
    const auto newer = entry_of({.fence = 5});
    EXPECT_EQ(shelf_of({entry_of({.fence = 5}), newer})->find(""), newer.get());
}

TEST(Shelf, TheHigherFenceWins) {
    const auto shelf = shelf_of({entry_of({.fence = 5})});
    EXPECT_FALSE(shelf_with(shelf.get(), entry_of({.fence = 4}), {}, limits));
}

TEST(Shelf, TheFenceOfAnotherVariantDoesNotMatter) {
    const auto shelf = shelf_of({entry_of({.secondary_key = "de", .fence = 5})});
    EXPECT_TRUE(shelf_with(shelf.get(), entry_of({.secondary_key = "fr", .fence = 4}), {}, limits));
}

TEST(Shelf, AnotherVaryEmptiesTheShelf) {
    const auto old = shelf_of({entry_of({.secondary_key = "de"}), entry_of({.secondary_key = "fr"})}, vary_on({"a"}));
    const auto shelf = shelf_with(old.get(), entry_of({.secondary_key = "x"}), vary_on({"a", "b"}), limits);
    EXPECT_EQ(secondary_keys(*shelf), (std::vector<std::string>{"x"}));
    EXPECT_EQ(shelf->vary, vary_on({"a", "b"}));
}

TEST(Shelf, AnotherVaryOfAnOlderFillChangesNothing) {
    const auto old = shelf_of({entry_of({.secondary_key = "de", .fence = 5})}, vary_on({"a"}));
    EXPECT_FALSE(shelf_with(old.get(), entry_of({.secondary_key = "x", .fence = 4}), vary_on({"b"}), limits));
}

TEST(Shelf, TheOldestVariantGoes) {
    base::Ref<const Shelf> shelf;
    for (const char* name : {"a", "b", "c", "d", "e"})
        shelf = shelf_with(shelf.get(), entry_of({.secondary_key = name}), {}, limits);
    EXPECT_EQ(secondary_keys(*shelf), (std::vector<std::string>{"e", "d", "c", "b"}));
}

TEST(Shelf, VariantsThatTakeTooManyBytesGoOldestFirst) {
    base::Ref<const Shelf> shelf;
    for (const char* name : {"a", "b", "c"})
        shelf = shelf_with(shelf.get(), entry_of({.secondary_key = name, .body_bytes = 10'000}), {},
                           {.variants_max = 4, .bytes_max = 25'000});
    EXPECT_EQ(secondary_keys(*shelf), (std::vector<std::string>{"c", "b"}));
    EXPECT_LE(shelf->footprint(), 25'000U);
}

TEST(Shelf, TheNewestStaysWhateverTheLimits) {
    const auto shelf = shelf_with(nullptr, entry_of({.body_bytes = 10'000}), {}, {.variants_max = 0, .bytes_max = 1});
    EXPECT_EQ(shelf->variants.size(), 1U);
}

TEST(Shelf, AMarkKeepsTheVariantsAndTheNextEntryClearsIt) {
    const auto old = shelf_of({entry_of({.secondary_key = "de"})}, vary_on({"a"}));
    const auto marked = shelf_not_shareable(old.get(), "k", later);
    EXPECT_EQ(marked->not_shareable_until, later);
    EXPECT_EQ(secondary_keys(*marked), (std::vector<std::string>{"de"}));
    EXPECT_EQ(marked->vary, old->vary);
    const auto cleared = shelf_with(marked.get(), entry_of({.secondary_key = "fr"}), vary_on({"a"}), limits);
    EXPECT_EQ(cleared->not_shareable_until, Instant{});
    EXPECT_EQ(secondary_keys(*cleared), (std::vector<std::string>{"fr", "de"}));
}

TEST(Shelf, AMarkNeedsNoVariants) {
    const auto marked = shelf_not_shareable(nullptr, "k", later);
    EXPECT_EQ(marked->key, "k");
    EXPECT_TRUE(marked->variants.empty());
}

TEST(Shelf, RemovingTheLastLeavesNothing) {
    const auto entry = entry_of({});
    EXPECT_FALSE(shelf_without(*shelf_of({entry}), *entry));
}

TEST(Shelf, RemovingLeavesTheOthersAndTheMark) {
    const auto de = entry_of({.secondary_key = "de"});
    const auto shelf = shelf_of({de, entry_of({.secondary_key = "fr"})}, vary_on({"a"}));
    const auto rest = shelf_without(*shelf, *de);
    EXPECT_EQ(secondary_keys(*rest), (std::vector<std::string>{"fr"}));
    EXPECT_EQ(rest->vary, shelf->vary);

    const auto marked = shelf_not_shareable(shelf_of({de}).get(), "k", later);
    const auto only_mark = shelf_without(*marked, *de);
    ASSERT_TRUE(only_mark);
    EXPECT_TRUE(only_mark->variants.empty());
    EXPECT_EQ(only_mark->not_shareable_until, later);
}

TEST(Shelf, AChangeLeavesTheOldShelfAsItWas) {
    const auto old = shelf_of({entry_of({.secondary_key = "de"})});
    const auto next = shelf_with(old.get(), entry_of({.secondary_key = "de", .fence = 2}), vary_on({"a"}), limits);
    EXPECT_EQ(old->find("de")->parts().fence, 1U);
    EXPECT_EQ(old->vary, http::VaryNames{});
    EXPECT_EQ(next->find("de")->parts().fence, 2U);
}

TEST(Shelf, TheFootprintIsItsOwnAndThatOfItsEntries) {
    const auto a = entry_of({.secondary_key = "a", .body_bytes = 5000});
    const auto b = entry_of({.secondary_key = "b"});
    const auto shelf = shelf_of({a, b}, vary_on({"accept-language-of-the-client"}));
    EXPECT_GE(shelf->footprint(), a->footprint() + b->footprint() + sizeof(Shelf) + 30);
    EXPECT_LE(shelf->footprint(), a->footprint() + b->footprint() + sizeof(Shelf) + 300);
}

}  // namespace
}  // namespace etage::store
