#pragma once
// Structured log lines: a level, an event name, and key=value pairs; JSON or text. Asynchronous: a full queue drops the
// oldest line and counts it, it never blocks a worker.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace etage::base {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    std::string file;  // appended to; empty = stderr, also when it cannot be opened: the first line says so then
};

struct LogPair {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, double, bool> value;
};

/// Thread-safe. Owned by compose, handed down by reference.
class Log {
public:
    explicit Log(const LogOptions&);
    ~Log();  // flushes
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    bool enabled(LogLevel) const noexcept;
    void set_level(LogLevel) noexcept;

    /// `event` is a fixed lower-case phrase ("origin failed"); values are escaped, control characters never reach the
    /// terminal raw; a value longer than 2 KiB is cut and ends in an ellipsis. Borrowed arguments are copied before
    /// return.
    void write(LogLevel, std::string_view event, std::initializer_list<LogPair> pairs = {});

    void debug(std::string_view e, std::initializer_list<LogPair> p = {}) { write(LogLevel::debug, e, p); }
    void info(std::string_view e, std::initializer_list<LogPair> p = {}) { write(LogLevel::info, e, p); }
    void warn(std::string_view e, std::initializer_list<LogPair> p = {}) { write(LogLevel::warn, e, p); }
    void error(std::string_view e, std::initializer_list<LogPair> p = {}) { write(LogLevel::error, e, p); }

    /// Returns when everything this thread wrote before has been handed to the system, or dropped.
    void flush();
    /// Lines lost since the start: given up by a full queue, or not taken by the system (disk full).
    std::uint64_t dropped() const noexcept;

private:
    struct Sink;
    std::unique_ptr<Sink> sink_;
};

}  // namespace etage::base
