#include "posts_store.hpp"

#include "posts_schema.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace etage::demo {
namespace {

namespace fs = std::filesystem;

class Directory : public testing::Test {
protected:
    Directory() : path_(fs::temp_directory_path() / ("etage-posts-test-" + std::to_string(::getpid()))) {
        fs::create_directory(path_);
    }
    ~Directory() override { fs::remove_all(path_); }

    std::string file(const std::string& name) const { return (path_ / name).string(); }
    static void write(const std::string& file, const std::string& bytes) {
        std::ofstream(file, std::ios::binary) << bytes;
    }
    static std::string read(const std::string& file) {
        std::ifstream in(file, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    }
    static std::string complaint(const std::string& file) {
        const auto store = PostsStore::open({.file = file});
        return store ? "opened" : store.error();
    }

    fs::path path_;
};

using PostsStoreTest = Directory;

std::unique_ptr<PostsStore> in_memory() { return PostsStore::open({}).value(); }

TEST(PostsStoreInMemory, StartsWithTheArticlesPosts) {
    const auto store = in_memory();
    const Page all = store->list(std::nullopt, 3, 0);
    EXPECT_EQ(all.total, 500);
    ASSERT_EQ(all.items.size(), 3U);
    EXPECT_EQ(all.items[0], (Post{1, "post-1", "life"}));
    EXPECT_EQ(all.items[1], (Post{2, "post-2", "tech"}));

    const Page tech = store->list("tech", 100, 200);
    EXPECT_EQ(tech.total, 250);
    EXPECT_EQ(tech.items.size(), 50U);
    EXPECT_EQ(tech.items.back(), (Post{500, "post-500", "tech"}));

    EXPECT_EQ(store->list("none", 10, 0).total, 0);
    EXPECT_TRUE(store->list(std::nullopt, 10, 500).items.empty());
    EXPECT_TRUE(store->list(std::nullopt, 10, INT64_MAX).items.empty());
}

TEST(PostsStoreInMemory, WritesAreReadBack) {
    const auto store = in_memory();
    const Post made = store->create("a 'quoted' \xF0\x9F\x98\x80 title", "new");
    EXPECT_EQ(made.id, 501);
    EXPECT_EQ(store->find(501), made);

    const auto change = store->change(501, std::nullopt, "tech");
    ASSERT_TRUE(change);
    EXPECT_EQ(change->before, made);
    EXPECT_EQ(change->after, (Post{501, made.title, "tech"}));
    EXPECT_EQ(store->list("tech", 1, 0).total, 251);

    EXPECT_EQ(store->remove(501), change->after);
    EXPECT_FALSE(store->find(501));
    EXPECT_FALSE(store->remove(501));
    EXPECT_FALSE(store->change(501, "x", std::nullopt));
}

TEST(PostsStoreInMemory, AnIdIsNeverGivenTwice) {
    const auto store = in_memory();
    ASSERT_TRUE(store->remove(500));
    EXPECT_EQ(store->create("next", "tech").id, 501);
}

TEST_F(PostsStoreTest, AFileIsMadeOnceAndKept) {
    const auto db = file("posts.sqlite");
    {
        const auto store = PostsStore::open({.file = db}).value();
        store->remove(7);
        store->create("kept", "life");
    }
    const auto again = PostsStore::open({.file = db}).value();
    EXPECT_EQ(again->list(std::nullopt, 1, 0).total, 500);
    EXPECT_FALSE(again->find(7));
    EXPECT_EQ(again->find(501)->title, "kept");
}

TEST_F(PostsStoreTest, TwoProcessesShareAFile) {
    const auto one = PostsStore::open({.file = file("shared")}).value();
    const auto two = PostsStore::open({.file = file("shared")}).value();
    one->create("from one", "life");
    EXPECT_EQ(two->find(501)->title, "from one");
    two->remove(501);
    EXPECT_FALSE(one->find(501));
}

TEST_F(PostsStoreTest, AnEmptyFileIsTakenAsNew) {
    write(file("empty"), "");
    EXPECT_EQ(complaint(file("empty")), "opened");
}

TEST_F(PostsStoreTest, WhatIsNoDatabaseIsLeftAsItIs) {
    for (const std::string& bytes :
         {std::string("dear diary"), std::string(4096, 'x'), std::string("SQLite format 3\0", 16)}) {
        write(file("diary"), bytes);
        EXPECT_NE(complaint(file("diary")).find("not an SQLite database"), std::string::npos);
        EXPECT_EQ(read(file("diary")), bytes);
    }
}

TEST_F(PostsStoreTest, AnotherProgramsDatabaseIsLeftAsItIs) {
    const auto db = file("other");
    {
        SQLite::Database other(db, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        other.exec("CREATE TABLE posts (id INTEGER PRIMARY KEY, secret TEXT)");
        other.exec("INSERT INTO posts VALUES (1, 'mine')");
    }
    const auto before = read(db);
    EXPECT_NE(complaint(db).find("something else"), std::string::npos);
    EXPECT_EQ(read(db), before);
    EXPECT_FALSE(fs::exists(db + "-wal"));
}

TEST_F(PostsStoreTest, AnotherVersionsDatabaseIsLeftAsItIs) {
    const auto db = file("newer");
    {
        ASSERT_TRUE(PostsStore::open({.file = db}));
    }
    {
        SQLite::Database(db, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 9");
    }
    const auto before = read(db);
    EXPECT_NE(complaint(db).find("schema 9"), std::string::npos);
    EXPECT_EQ(read(db), before);
}

TEST_F(PostsStoreTest, WhatCannotBeOpenedIsNamed) {
    EXPECT_NE(complaint(path_.string()).find("not a regular file"), std::string::npos);
    const auto nowhere = complaint(file("no/such/directory/posts.sqlite"));
    EXPECT_NE(nowhere.find("cannot open the database"), std::string::npos);
    EXPECT_NE(nowhere.find("no/such/directory"), std::string::npos);
    EXPECT_FALSE(fs::exists(file("no")));
}

}  // namespace
}  // namespace etage::demo
