// Concurrency · Callers format their line on their own thread and hand it to a queue; one background thread writes.
// Lifetime · The thread is stopped and joined before the outlet goes; spdlog's registry of loggers is not used, so two
// Logs know nothing of each other.
// What this does not promise · That every line arrives: a full queue gives up its oldest, and says so in dropped().

#include "base/log.hpp"

#include "base/escape.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <iterator>
#include <mutex>
#include <system_error>
#include <utility>

namespace etage::base {

namespace {

/// Lines waiting for the background thread; about 2 MiB.
constexpr std::size_t queued_lines_max = 4096;
/// Of one value in a line, before escaping. The rest is cut, visibly: what a client sends does not fill the disk.
constexpr std::size_t value_bytes_max = 2048;

struct LevelNames {
    std::string_view text;
    std::string_view json;
};
constexpr std::array<LevelNames, 4> level_names = {
    {{"DEBUG ", "debug"}, {"INFO  ", "info"}, {"WARN  ", "warn"}, {"ERROR ", "error"}}};
constexpr std::array<spdlog::level::level_enum, 5> spdlog_levels = {
    spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err, spdlog::level::off};

/// "2026-11-25T02:00:00.123Z". The time was taken when the line was written, not when it reached the disk.
void append_time(spdlog::memory_buf_t& out, spdlog::log_clock::time_point time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::milliseconds>(time - day)};
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                   clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

/// What only the background thread adds: the time and the level.
class LineFormatter final : public spdlog::formatter {
public:
    explicit LineFormatter(LogFormat format) noexcept : format_(format) {}

    void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& out) override {
        const auto append = [&](std::string_view s) { out.append(s.data(), s.data() + s.size()); };
        const LevelNames& level = level_names[static_cast<std::size_t>(level_of(msg.level))];
        const bool json = format_ == LogFormat::json;
        if (json) append("{\"time\":\"");
        append_time(out, msg.time);
        append(json ? "\",\"level\":\"" : " ");
        append(json ? level.json : level.text);
        if (json) append("\",");
        append({msg.payload.data(), msg.payload.size()});
        append(json ? "}\n" : "\n");
    }
    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LineFormatter>(*this); }

private:
    static LogLevel level_of(spdlog::level::level_enum level) noexcept {
        switch (level) {
            case spdlog::level::debug: return LogLevel::debug;
            case spdlog::level::info: return LogLevel::info;
            case spdlog::level::warn: return LogLevel::warn;
            default: return LogLevel::error;
        }
    }
    LogFormat format_;
};

/// Where the lines go. One write(2) per line, so that lines of several processes in one file do not mix.
class Outlet final : public spdlog::sinks::base_sink<std::mutex> {
public:
    Outlet(int fd, bool owned, LogFormat format)
        : base_sink(std::make_unique<LineFormatter>(format)), fd_(fd), owned_(owned) {}
    ~Outlet() override {
        if (owned_) ::close(fd_);
    }
    Outlet(const Outlet&) = delete;
    Outlet& operator=(const Outlet&) = delete;

    /// Lines taken from the queue. Waited for by flush().
    std::atomic<std::uint64_t> handled{0};
    /// Of those, the ones the system did not take.
    std::atomic<std::uint64_t> failed{0};

private:
    void sink_it_(const spdlog::details::log_msg& msg) override {
        line_.clear();
        formatter_->format(msg, line_);
        if (!write_all({line_.data(), line_.size()})) failed.fetch_add(1, std::memory_order_relaxed);
        handled.fetch_add(1, std::memory_order_release);
        handled.notify_all();
    }
    void flush_() override {}

    bool write_all(std::string_view rest) noexcept {
        while (!rest.empty()) {
            const ssize_t n = ::write(fd_, rest.data(), rest.size());
            if (n >= 0) {
                rest.remove_prefix(static_cast<std::size_t>(n));
            } else if (errno == EAGAIN) {
                // stderr is shared: another program may have made it non-blocking.
                pollfd ready{fd_, POLLOUT, 0};
                ::poll(&ready, 1, -1);
            } else if (errno != EINTR) {
                return false;
            }
        }
        return true;
    }

    int fd_;
    bool owned_;
    spdlog::memory_buf_t line_;
};

/// Cut between characters, not inside one.
std::string_view shortened(std::string_view value) noexcept {
    if (value.size() <= value_bytes_max) return value;
    std::size_t end = value_bytes_max;
    while (end > value_bytes_max - 4 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U) --end;
    return value.substr(0, end);
}

void append_string(std::string& out, LogFormat format, std::string_view value) {
    const std::string_view kept = shortened(value);
    const bool json = format == LogFormat::json;
    if (json) out += '"';
    if (json)
        append_json_escaped(out, kept);
    else
        append_text_value(out, kept);
    if (kept.size() < value.size()) out += "…";
    if (json) out += '"';
}

void append_number(std::string& out, LogFormat format, double value) {
    // RFC 8259 §6 has no infinities.
    if (format == LogFormat::json && !std::isfinite(value))
        out += "null";
    else
        fmt::format_to(std::back_inserter(out), "{}", value);
}

void append_value(std::string& out, LogFormat format, const LogPair& pair) {
    if (const auto* text = std::get_if<std::string_view>(&pair.value))
        append_string(out, format, *text);
    else if (const auto* real = std::get_if<double>(&pair.value))
        append_number(out, format, *real);
    else if (const auto* truth = std::get_if<bool>(&pair.value))
        out += *truth ? "true" : "false";
    else
        fmt::format_to(std::back_inserter(out), "{}", std::get<std::int64_t>(pair.value));
}

std::string payload(LogFormat format, std::string_view event, std::initializer_list<LogPair> pairs) {
    std::string out;
    if (format == LogFormat::json) {
        out += "\"event\":\"";
        append_json_escaped(out, event);
        out += '"';
    } else {
        append_text_escaped(out, event);
    }
    for (const LogPair& pair : pairs) {
        out += format == LogFormat::json ? ",\"" : " ";
        out += pair.key;
        out += format == LogFormat::json ? "\":" : "=";
        append_value(out, format, pair);
    }
    return out;
}

}  // namespace

struct Log::Sink {
    Sink(const LogOptions& options, int fd)
        : format(options.format),
          level(options.level),
          outlet(std::make_shared<Outlet>(fd, fd != STDERR_FILENO, options.format)),
          pool(std::make_shared<spdlog::details::thread_pool>(queued_lines_max, 1)),
          logger(std::make_shared<spdlog::async_logger>("etage", outlet, pool,
                                                        spdlog::async_overflow_policy::overrun_oldest)) {
        logger->set_level(spdlog_levels[static_cast<std::size_t>(options.level)]);
    }

    LogFormat format;
    std::atomic<LogLevel> level;
    std::atomic<std::uint64_t> posted{0};
    std::shared_ptr<Outlet> outlet;
    std::shared_ptr<spdlog::details::thread_pool> pool;  // its destructor writes what is queued, then joins
    std::shared_ptr<spdlog::async_logger> logger;
};

Log::Log(const LogOptions& options) {
    int fd = STDERR_FILENO;
    int failure = 0;
    if (!options.file.empty()) {
        fd = ::open(options.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
        if (fd < 0) failure = std::exchange(errno, 0);
    }
    sink_ = std::make_unique<Sink>(options, fd < 0 ? STDERR_FILENO : fd);
    if (failure != 0) {
        const std::string why = std::generic_category().message(failure);
        error("log file cannot be opened, logging to stderr", {{"file", options.file}, {"why", why}});
    }
}

Log::~Log() = default;

bool Log::enabled(LogLevel level) const noexcept {
    return level != LogLevel::off && level >= sink_->level.load(std::memory_order_relaxed);
}

void Log::set_level(LogLevel level) noexcept {
    sink_->level.store(level, std::memory_order_relaxed);
    sink_->logger->set_level(spdlog_levels[static_cast<std::size_t>(level)]);
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogPair> pairs) {
    if (!enabled(level)) return;
    const std::string line = payload(sink_->format, event, pairs);
    sink_->posted.fetch_add(1, std::memory_order_relaxed);
    sink_->logger->log(spdlog_levels[static_cast<std::size_t>(level)], line);
}

void Log::flush() {
    // Lines leave the queue in order, written or dropped. Those posted before this call stand among the first `target`
    // of it, because a line is counted before it is queued.
    const std::uint64_t target = sink_->posted.load(std::memory_order_relaxed);
    for (;;) {
        const std::uint64_t handled = sink_->outlet->handled.load(std::memory_order_acquire);
        if (handled + sink_->pool->overrun_counter() >= target) return;
        // A line dropped after this look leaves a full queue behind it: `handled` will change.
        sink_->outlet->handled.wait(handled, std::memory_order_acquire);
    }
}

std::uint64_t Log::dropped() const noexcept {
    return sink_->pool->overrun_counter() + sink_->outlet->failed.load(std::memory_order_relaxed);
}

}  // namespace etage::base
