#include "server/app/serve/end_guard.h"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/app/flags/command_line.h"
#include "server/app/interrupt.h"
#include "server/app/log/logging.h"

namespace inkstream::app {
namespace {

// For the last lines of the log, which somebody may not read.
constexpr std::chrono::milliseconds kLastWords{500};

}  // namespace

EndGuard::EndGuard()
    : done_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { Watch(); }) {}

EndGuard::~EndGuard() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    done_ = true;
  }
  changed_.notify_all();
  eventfd_write(done_event_, 1);
  thread_.join();
  close(done_event_);
}

void EndGuard::ExpectEndWithin(std::chrono::milliseconds limit) {
  const std::lock_guard<std::mutex> lock(mu_);
  limit_ = limit;
  serving_ = true;
}

void EndGuard::Watch() {
  Interrupt::HandleHere();
  if (!Interrupt::WaitForEither(done_event_)) return;
  std::unique_lock<std::mutex> lock(mu_);
  if (changed_.wait_for(lock, limit_, [this] { return done_; })) return;
  if (serving_) {
    spdlog::error(
        "signal {}: something still waits, perhaps for a disk, {} ms after the "
        "signal; the process ends as it is",
        Interrupt::signal(), limit_.count());
  } else {
    spdlog::info("signal {} before the server was ready: ends",
                 Interrupt::signal());
  }
  FlushLog(kLastWords);
  _exit(serving_ ? kExitFailed : kExitDone);
}

}  // namespace inkstream::app
