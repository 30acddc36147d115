#include "server/app/serve/service_manager.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

#include "absl/strings/numbers.h"

namespace inkstream::app {
namespace {

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// None: nobody watches this process.
std::chrono::microseconds WatchdogPeriod() {
  int64_t micros = 0;
  int64_t pid = 0;
  if (!absl::SimpleAtoi(Variable("WATCHDOG_USEC"), &micros) || micros <= 0) {
    return {};
  }
  if (absl::SimpleAtoi(Variable("WATCHDOG_PID"), &pid) && pid != getpid()) {
    return {};  // a parent of ours
  }
  return std::chrono::microseconds(micros);
}

}  // namespace

ServiceManager::ServiceManager(std::function<bool()> alive)
    : alive_(std::move(alive)), socket_(Variable("NOTIFY_SOCKET")) {
  if (socket_.empty()) return;
  Tell("READY=1");
  const std::chrono::microseconds period = WatchdogPeriod();
  if (period.count() > 0) {
    thread_ = std::jthread([this, period](const std::stop_token& stop) {
      KeepWatchdogQuiet(stop, period);
    });
  }
}

void ServiceManager::Stopping() const { Tell("STOPPING=1"); }

void ServiceManager::Tell(const char* state) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof(address.sun_path)) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  socklen_t size = offsetof(sockaddr_un, sun_path) + socket_.size();
  if (socket_[0] == '@') {
    address.sun_path[0] = '\0';  // a name without a file
  } else {
    ++size;
  }
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  // Never waits: a manager that does not read shall not hold the service up.
  if (fd < 0 ||
      sendto(fd, state, std::strlen(state), MSG_DONTWAIT, to, size) < 0) {
    spdlog::warn("NOTIFY_SOCKET {}: {} could not be sent: {}", socket_, state,
                 std::strerror(errno));
  }
  if (fd >= 0) close(fd);
}

void ServiceManager::KeepWatchdogQuiet(const std::stop_token& stop,
                                       std::chrono::microseconds period) const {
  std::mutex mu;
  std::condition_variable_any stopped;
  std::unique_lock<std::mutex> lock(mu);
  while (!stop.stop_requested()) {
    if (alive_()) Tell("WATCHDOG=1");
    stopped.wait_for(lock, stop, period / 3, [] { return false; });
  }
}

}  // namespace inkstream::app
