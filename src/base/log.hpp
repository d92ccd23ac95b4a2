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
    std::string file;  // empty = stderr
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

    /// `event` is a fixed lower-case phrase ("origin failed"); values are escaped, control characters never reach the
    /// terminal raw. Borrowed arguments are copied before return.
    void write(LogLevel, std::string_view event, std::initializer_list<LogPair> pairs = {});

    void debug(std::string_view e, std::initializer_list<LogPair> p = {}) { write(LogLevel::debug, e, p); }
    void info(std::string_view e, std::initializer_list<LogPair> p = {}) { write(LogLevel::info, e, p); }
    void warn(std::string_view e, std::initializer_list<LogPair> p = {}) { write(LogLevel::warn, e, p); }
    void error(std::string_view e, std::initializer_list<LogPair> p = {}) { write(LogLevel::error, e, p); }

    void flush();
    std::uint64_t dropped() const noexcept;

private:
    struct Sink;
    std::unique_ptr<Sink> sink_;
};

}  // namespace etage::base
