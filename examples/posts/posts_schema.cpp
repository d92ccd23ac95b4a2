#include "posts_schema.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace etage::demo {

namespace {

constexpr std::size_t header_bytes = 100;
constexpr std::string_view magic{"SQLite format 3\0", 16};

std::int32_t big_endian(const std::array<char, header_bytes>& header, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(header[at + i]);
    return static_cast<std::int32_t>(value);
}

int pragma(SQLite::Database& database, const char* name) {
    return database.execAndGet(std::string("PRAGMA ") + name).getInt();
}

void seed(SQLite::Database& database, std::int64_t posts) {
    SQLite::Statement insert(database, "INSERT INTO posts (id, title, category) VALUES (?, ?, ?)");
    for (std::int64_t id = 1; id <= posts; ++id) {
        insert.bind(1, id);
        insert.bind(2, "post-" + std::to_string(id));
        insert.bind(3, id % 2 == 0 ? "tech" : "life");
        insert.exec();
        insert.reset();
    }
}

}  // namespace

std::optional<std::string> why_not_ours(const std::string& file) {
    std::error_code error;
    const auto status = std::filesystem::status(file, error);
    if (!std::filesystem::exists(status)) return std::nullopt;
    if (!std::filesystem::is_regular_file(status)) return "it is not a regular file";
    if (std::filesystem::file_size(file, error) == 0) return std::nullopt;

    std::array<char, header_bytes> header{};
    std::ifstream in(file, std::ios::binary);
    if (!in) return "it cannot be read";
    in.read(header.data(), header.size());
    if (in.gcount() < static_cast<std::streamsize>(header.size()) ||
        std::string_view(header.data(), magic.size()) != magic)
        return "it is not an SQLite database";
    if (big_endian(header, 68) != application_id) return "it is an SQLite database of something else";
    const auto version = big_endian(header, 60);
    if (version != schema_version)
        return "it was made by another version of this demo (schema " + std::to_string(version) + ", this one knows " +
               std::to_string(schema_version) + ")";
    return std::nullopt;
}

void create_if_empty(SQLite::Database& database, std::int64_t posts) {
    // Two processes may start on one new file: who comes second waits here and finds the tables made.
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    if (pragma(database, "application_id") == application_id && pragma(database, "user_version") == schema_version)
        return;
    if (database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() != 0)
        throw std::runtime_error("it holds tables that are not this demo's");
    database.exec(
        "CREATE TABLE posts ("
        "  id INTEGER PRIMARY KEY AUTOINCREMENT,"  // an id is never given twice: a tag names one post for ever
        "  title TEXT NOT NULL,"
        "  category TEXT NOT NULL) STRICT");
    database.exec("CREATE INDEX posts_by_category ON posts (category, id)");
    seed(database, posts);
    database.exec("PRAGMA application_id = " + std::to_string(application_id));
    database.exec("PRAGMA user_version = " + std::to_string(schema_version));
    transaction.commit();
}

}  // namespace etage::demo
