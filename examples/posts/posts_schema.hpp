#pragma once
// Whose a database file is, and how a new one is made.

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <optional>
#include <string>

namespace etage::demo {

/// In the header of every database of ours (https://www.sqlite.org/fileformat.html §1.3, offset 68): "ETGP".
inline constexpr std::int32_t application_id = 0x45544750;
/// Of the tables below (offset 60).
inline constexpr std::int32_t schema_version = 1;

/// Why this file must not be opened, or nothing when it is ours, empty, or not there. Reads the file's header itself:
/// opening a foreign database with SQLite may already change it (a journal is rolled back, a log is checkpointed).
std::optional<std::string> why_not_ours(const std::string& file);

/// Makes tables and posts when the database is empty, in one transaction; does nothing when they are there. Throws
/// std::runtime_error when it is neither.
void create_if_empty(SQLite::Database& database, std::int64_t posts);

}  // namespace etage::demo
