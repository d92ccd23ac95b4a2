#include "posts_store.hpp"

#include "posts_schema.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <mutex>
#include <thread>

namespace etage::demo {

/// The mutex is held for a statement or a transaction, never across a wait.
struct PostsStore::Connection {
    explicit Connection(const std::string& file, std::chrono::milliseconds busy_timeout)
        : database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, static_cast<int>(busy_timeout.count())) {
        create_if_empty(database, seeded_posts);
        database.exec("PRAGMA journal_mode = WAL");  // readers of other processes do not wait for a writer
        database.exec("PRAGMA synchronous = NORMAL");
    }

    std::mutex mutex;
    SQLite::Database database;
};

namespace {

Post post_of(SQLite::Statement& row) {
    return {row.getColumn(0).getInt64(), row.getColumn(1).getString(), row.getColumn(2).getString()};
}

std::optional<Post> find_post(SQLite::Database& database, std::int64_t id) {
    SQLite::Statement select(database, "SELECT id, title, category FROM posts WHERE id = ?");
    select.bind(1, id);
    if (!select.executeStep()) return std::nullopt;
    return post_of(select);
}

std::int64_t count_posts(SQLite::Database& database, const std::optional<std::string>& category) {
    SQLite::Statement count(database,
                            category ? "SELECT count(*) FROM posts WHERE category = ?" : "SELECT count(*) FROM posts");
    if (category) count.bind(1, *category);
    count.executeStep();
    return count.getColumn(0).getInt64();
}

}  // namespace

std::expected<std::unique_ptr<PostsStore>, std::string> PostsStore::open(const Options& options) {
    if (!options.file.empty()) {
        if (const auto why = why_not_ours(options.file))
            return std::unexpected("cannot use the database " + options.file + ": " + *why +
                                   ". It was left as it is; name another file with --db");
    }
    try {
        auto connection =
            std::make_unique<Connection>(options.file.empty() ? ":memory:" : options.file, options.busy_timeout);
        return std::unique_ptr<PostsStore>(new PostsStore(std::move(connection), options.slow));
    } catch (const std::exception& e) {
        return std::unexpected("cannot open the database " + options.file + ": " + e.what() +
                               ". Does its directory exist, and may it be written to?");
    }
}

PostsStore::PostsStore(std::unique_ptr<Connection> connection, std::chrono::milliseconds slow)
    : connection_(std::move(connection)), slow_(slow) {}

PostsStore::~PostsStore() = default;

/// The delay is the database's work, not its lock: slow queries run side by side.
PostsStore::Connection& PostsStore::ready() {
    if (slow_.count() > 0) std::this_thread::sleep_for(slow_);
    return *connection_;
}

Page PostsStore::list(const std::optional<std::string>& category, int limit, std::int64_t offset) {
    Connection& c = ready();
    const std::lock_guard lock(c.mutex);
    SQLite::Transaction one_moment(c.database);
    Page page;
    page.total = count_posts(c.database, category);
    SQLite::Statement select(c.database, category
                                             ? "SELECT id, title, category FROM posts WHERE category = ?3"
                                               " ORDER BY id LIMIT ?1 OFFSET ?2"
                                             : "SELECT id, title, category FROM posts ORDER BY id LIMIT ?1 OFFSET ?2");
    select.bind(1, limit);
    select.bind(2, offset);
    if (category) select.bind(3, *category);
    while (select.executeStep()) page.items.push_back(post_of(select));
    return page;
}

std::optional<Post> PostsStore::find(std::int64_t id) {
    Connection& c = ready();
    const std::lock_guard lock(c.mutex);
    return find_post(c.database, id);
}

Post PostsStore::create(const std::string& title, const std::string& category) {
    Connection& c = ready();
    const std::lock_guard lock(c.mutex);
    SQLite::Statement insert(c.database, "INSERT INTO posts (title, category) VALUES (?, ?)");
    insert.bind(1, title);
    insert.bind(2, category);
    insert.exec();
    return {c.database.getLastInsertRowid(), title, category};
}

std::optional<Change> PostsStore::change(std::int64_t id, const std::optional<std::string>& title,
                                         const std::optional<std::string>& category) {
    Connection& c = ready();
    const std::lock_guard lock(c.mutex);
    SQLite::Transaction transaction(c.database, SQLite::TransactionBehavior::IMMEDIATE);
    auto before = find_post(c.database, id);
    if (!before) return std::nullopt;
    const Post after{id, title.value_or(before->title), category.value_or(before->category)};
    SQLite::Statement update(c.database, "UPDATE posts SET title = ?, category = ? WHERE id = ?");
    update.bind(1, after.title);
    update.bind(2, after.category);
    update.bind(3, id);
    update.exec();
    transaction.commit();
    return Change{*std::move(before), after};
}

std::optional<Post> PostsStore::remove(std::int64_t id) {
    Connection& c = ready();
    const std::lock_guard lock(c.mutex);
    SQLite::Transaction transaction(c.database, SQLite::TransactionBehavior::IMMEDIATE);
    auto before = find_post(c.database, id);
    if (!before) return std::nullopt;
    SQLite::Statement erase(c.database, "DELETE FROM posts WHERE id = ?");
    erase.bind(1, id);
    erase.exec();
    transaction.commit();
    return before;
}

}  // namespace etage::demo
