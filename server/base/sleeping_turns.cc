#include "server/base/sleeping_turns.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace inkstream {
namespace {

constexpr int kFewest = 8;
constexpr std::chrono::seconds kSlowFor(1);

}  // namespace

int SleepingTurns::Most(int threads) { return std::max(kFewest, 2 * threads); }

bool SleepingTurns::HasRoom(const std::string& disk, int threads) const {
  if (all_ == 0 || disk.empty()) return true;
  const auto found = disks_.find(disk);
  if (found == disks_.end()) return true;
  const Disk& own = found->second;
  if (own.asleep == 0) return true;
  const int left = Most(threads) - (all_ - own.asleep);
  return own.turns < std::max(1, std::min(threads, left / 2));
}

void SleepingTurns::Begin(const std::string& disk) {
  if (!disk.empty()) ++disks_[disk].turns;
}

void SleepingTurns::End(const std::string& disk) {
  if (disk.empty()) return;
  const auto found = disks_.find(disk);
  if (--found->second.turns == 0 && found->second.slow_until <= Clock::now()) {
    disks_.erase(found);
  }
}

bool SleepingTurns::IsSlow(const std::string& disk) const {
  if (disks_.empty() || disk.empty()) return false;
  const auto found = disks_.find(disk);
  return found != disks_.end() && Clock::now() < found->second.slow_until;
}

void SleepingTurns::Sleep(const std::string& disk) {
  ++all_;
  ++disks_[disk].asleep;
}

void SleepingTurns::NoteSlow(const std::string& disk) {
  disks_[disk].slow_until = Clock::now() + kSlowFor;
}

void SleepingTurns::Wake(const std::string& disk) {
  --all_;
  --disks_[disk].asleep;
}

bool ThreadSleeps(pid_t thread) {
  const int file =
      open(absl::StrCat("/proc/self/task/", thread, "/stat").c_str(),
           O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char text[128];
  const ssize_t length = read(file, text, sizeof(text));
  close(file);
  if (length <= 0) return false;
  // NUMBER (NAME) STATE …, and a name may have any character.
  const std::string_view stat(text, length);
  const size_t name_end = stat.rfind(')');
  return name_end != std::string_view::npos && name_end + 2 < stat.size() &&
         (stat[name_end + 2] == 'S' || stat[name_end + 2] == 'D');
}

int64_t ThreadCpuNanos(pid_t thread) {
  // As pthread_getcpuclockid() makes it: of a thread, what it was scheduled.
  constexpr unsigned kOfThread = 4;
  constexpr unsigned kScheduled = 2;
  const auto clock = static_cast<clockid_t>(
      ~static_cast<unsigned>(thread) << 3U | kOfThread | kScheduled);
  timespec used = {};
  if (clock_gettime(clock, &used) != 0) return 0;
  return int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

}  // namespace inkstream
