#pragma once
// The posts, in SQLite. What a request may not do to them is checked before it comes here; what a foreign file may do
// to us is checked when it is opened.
//
// Thread-safety: any thread may call anything; one connection, one statement at a time. Errors of SQLite after opening
// (disk full, a lock held longer than the busy timeout) are exceptions.

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace etage::demo {

struct Post {
    std::int64_t id = 0;
    std::string title;
    std::string category;
    friend bool operator==(const Post&, const Post&) = default;
};

/// One page of a list, and how long the whole list is.
struct Page {
    std::int64_t total = 0;
    std::vector<Post> items;
};

/// What a change made of a post.
struct Change {
    Post before;
    Post after;
};

class PostsStore {
public:
    /// How many posts a new database starts with: the article's.
    static constexpr std::int64_t seeded_posts = 500;

    struct Options {
        std::string file{};                            // empty: a private database in memory, gone at the end
        std::chrono::milliseconds slow{0};             // every query takes at least so long
        std::chrono::milliseconds busy_timeout{5000};  // for another process that is writing
    };

    /// Opens or creates. A file that is not a database of this demo is left as it is, and the error says so.
    static std::expected<std::unique_ptr<PostsStore>, std::string> open(const Options& options);
    ~PostsStore();

    /// Ordered by id. `total` and `items` are of one moment.
    Page list(const std::optional<std::string>& category, int limit, std::int64_t offset);
    std::optional<Post> find(std::int64_t id);

    Post create(const std::string& title, const std::string& category);
    /// What is nothing stays as it is. Nothing when there is no such post.
    std::optional<Change> change(std::int64_t id, const std::optional<std::string>& title,
                                 const std::optional<std::string>& category);
    /// The post that was removed, or nothing when there was none.
    std::optional<Post> remove(std::int64_t id);

private:
    struct Connection;
    explicit PostsStore(std::unique_ptr<Connection> connection, std::chrono::milliseconds slow);
    Connection& ready();

    std::unique_ptr<Connection> connection_;
    std::chrono::milliseconds slow_;
};

}  // namespace etage::demo
