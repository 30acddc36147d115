#include "server/app/log/logging.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/json_text.h"

namespace inkstream::app {
namespace {

constexpr size_t kQueuedLines = 4096;
constexpr size_t kMaxCharacters = 4096;  // of a message
constexpr char kPlain[] = "inkstream";
constexpr char kEvents[] = "events";

std::atomic<bool> json{false};

class LineFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message,
              spdlog::memory_buf_t& line) override {
    const absl::string_view level(
        spdlog::level::to_string_view(message.level).data(),
        spdlog::level::to_string_view(message.level).size());
    const absl::string_view payload(message.payload.data(),
                                    message.payload.size());
    const std::string time =
        absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromChrono(message.time),
                         absl::UTCTimeZone());
    std::string text;
    if (!json) {
      text = absl::StrCat(time, " ", level, " ",
                          PrintableText(payload, kMaxCharacters));
    } else {
      text = absl::StrCat(R"({"time": ")", time, R"(", "level": ")", level,
                          R"(", )");
      if (message.logger_name == kEvents) {
        absl::StrAppend(&text, payload);
      } else {
        text += R"("message": )";
        AppendJsonString(payload.substr(0, kMaxCharacters), &text);
      }
      text += '}';
    }
    text += '\n';
    line.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>();
  }
};

class StandardErrorSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  StandardErrorSink() : base_sink(std::make_unique<LineFormatter>()) {}

  uint64_t lost() const { return lost_; }

  uint64_t flushes() const {
    const std::lock_guard<std::mutex> lock(flushes_mu_);
    return flushes_;
  }
  void WaitForFlush(uint64_t number, std::chrono::milliseconds timeout) {
    std::unique_lock<std::mutex> lock(flushes_mu_);
    flushed_.wait_for(lock, timeout, [&] { return flushes_ >= number; });
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    size_t done = 0;
    while (done < line.size()) {
      const ssize_t written =
          write(STDERR_FILENO, line.data() + done, line.size() - done);
      if (written > 0) {
        done += static_cast<size_t>(written);
      } else if (errno != EINTR) {
        ++lost_;
        return;
      }
    }
  }
  void flush_() override {
    {
      const std::lock_guard<std::mutex> lock(flushes_mu_);
      ++flushes_;
    }
    flushed_.notify_all();
  }

  std::atomic<uint64_t> lost_{0};
  mutable std::mutex flushes_mu_;
  std::condition_variable flushed_;
  uint64_t flushes_ = 0;  // by flushes_mu_
};

// Made once and never destroyed: the background thread may be in a write that
// never returns when the process ends.
struct Log {
  std::shared_ptr<StandardErrorSink> sink =
      std::make_shared<StandardErrorSink>();
  std::shared_ptr<spdlog::details::thread_pool> thread;  // null: none
  std::shared_ptr<spdlog::logger> events;
};
Log& TheLog() {
  static Log* const log = new Log;
  return *log;
}

template <typename Logger, typename... Arguments>
void UseLoggers(const Arguments&... arguments) {
  Log& log = TheLog();
  const spdlog::level::level_enum level = spdlog::get_level();
  spdlog::set_default_logger(
      std::make_shared<Logger>(kPlain, log.sink, arguments...));
  log.events = std::make_shared<Logger>(kEvents, log.sink, arguments...);
  spdlog::set_level(level);
  log.events->set_level(level);
}

}  // namespace

void SetUpLogging() {
  if (TheLog().events == nullptr) UseLoggers<spdlog::logger>();
}

void SetLogLevel(const std::string& level) {
  spdlog::set_level(spdlog::level::from_str(level));
  TheLog().events->set_level(spdlog::level::from_str(level));
}

void SetLogFormat(const std::string& format) { json = format == "json"; }

bool LogsJson() { return json; }

void LogInBackground() {
  Log& log = TheLog();
  if (log.thread != nullptr) return;
  log.thread = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  UseLoggers<spdlog::async_logger>(
      std::weak_ptr<spdlog::details::thread_pool>(log.thread),
      spdlog::async_overflow_policy::overrun_oldest);
}

void FlushLog(std::chrono::milliseconds timeout) {
  Log& log = TheLog();
  const uint64_t before = log.sink->flushes();
  spdlog::default_logger()->flush();
  log.sink->WaitForFlush(before + 1, timeout);
}

uint64_t LostLogLines() {
  const Log& log = TheLog();
  return log.sink->lost() +
         (log.thread == nullptr ? 0 : log.thread->overrun_counter());
}

void LogMembers(const std::string& members, bool warning) {
  TheLog().events->log(warning ? spdlog::level::warn : spdlog::level::info,
                       spdlog::string_view_t(members));
}

}  // namespace inkstream::app
