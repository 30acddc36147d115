#include "server/transport/read_permits.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/status_reason.h"

namespace inkstream::transport {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

absl::Status Overloaded(absl::string_view text) {
  return WithRetryDelay(
      WithReason(absl::ResourceExhaustedError(text), kReasonOverloaded),
      kRetryDelay);
}

std::string Text(std::chrono::milliseconds time) {
  return absl::FormatDuration(absl::FromChrono(time));
}

}  // namespace

ReadPermits::ReadPermits(const Limits& limits)
    : limits_(limits), watcher_([this] { Watch(); }) {}

ReadPermits::~ReadPermits() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    stopped_ = true;
  }
  changed_.notify_all();
  watcher_.join();
}

void ReadPermits::Acquire(const void* reader, const std::string& caller,
                          std::function<void()> begin,
                          std::function<void(absl::Status)> end) {
  std::function<void(absl::Status)> refused;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    const auto of = callers_.try_emplace(caller).first;
    ++of->second.all;
    waiting_.push_back({reader, of, std::move(begin), std::move(end), {}});
    places_[reader] = std::prev(waiting_.end());
    if (waiting_.size() > limits_.waiting) {
      refused = Take(YoungestOfBusiest()).end;
    }
    Serve();
    // Of the thread's sleep there are two ends: a reader, and one who waits.
    if (asleep_ || waiting_.size() == 1) changed_.notify_all();
  }
  if (refused == nullptr) return;
  refused(Overloaded(absl::StrCat(
      limits_.waiting, " requests wait to be read, as many as may")));
}

void ReadPermits::SetLongest(std::chrono::milliseconds longest) {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    limits_.longest = longest;
  }
  changed_.notify_all();
}

bool ReadPermits::Release(const void* reader) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = places_.find(reader);
  if (found == places_.end()) return false;
  Take(found->second);
  Serve();
  return true;
}

void ReadPermits::Serve() {
  while (reading_.size() < limits_.permits && !waiting_.empty()) {
    const auto next = std::min_element(
        waiting_.begin(), waiting_.end(),
        [](const Entry& one, const Entry& other) {
          return one.caller->second.reading < other.caller->second.reading;
        });
    reading_.splice(reading_.end(), waiting_, next);
    next->since = Clock::now();
    next->reading = true;
    ++next->caller->second.reading;
    next->begin();
  }
}

ReadPermits::Entry ReadPermits::Take(Entries::iterator entry) {
  Entry taken = std::move(*entry);
  places_.erase(taken.reader);
  (taken.reading ? reading_ : waiting_).erase(entry);
  if (taken.reading) --taken.caller->second.reading;
  if (--taken.caller->second.all == 0) callers_.erase(taken.caller);
  return taken;
}

ReadPermits::Entries::iterator ReadPermits::NextToTakeBack() {
  if (waiting_.empty()) return reading_.begin();
  return std::max_element(reading_.begin(), reading_.end(),
                          [](const Entry& one, const Entry& other) {
                            return one.caller->second.reading <
                                   other.caller->second.reading;
                          });
}

ReadPermits::Entries::iterator ReadPermits::YoungestOfBusiest() {
  const auto youngest = std::max_element(
      waiting_.rbegin(), waiting_.rend(),
      [](const Entry& one, const Entry& other) {
        return one.caller->second.all < other.caller->second.all;
      });
  return std::prev(youngest.base());
}

void ReadPermits::Watch() {
  std::unique_lock<std::mutex> lock(mu_);
  while (!stopped_) {
    const auto next = NextToTakeBack();
    if (next == reading_.end()) {
      asleep_ = true;
      changed_.wait(lock);
      asleep_ = false;
      continue;
    }
    const bool wanted = !waiting_.empty();
    const Clock::time_point now = Clock::now();
    const Clock::time_point due =
        next->since + (wanted ? limits_.patience : limits_.longest);
    if (now < due) {
      // Not for longer: a reader who comes and goes need not wake this thread.
      changed_.wait_until(lock, std::min(due, now + limits_.patience));
      continue;
    }
    const Entry late = Take(next);
    const absl::Status status =
        wanted
            ? Overloaded(absl::StrCat(
                  "the request has not come in within ", Text(limits_.patience),
                  ", and ", waiting_.size(),
                  " others wait to be read; this server reads ",
                  limits_.permits, " at once"))
            : WithReason(
                  absl::UnavailableError(absl::StrCat(
                      "no request has come in within ", Text(limits_.longest))),
                  kReasonIdle);
    Serve();
    lock.unlock();
    late.end(status);
    lock.lock();
  }
}

}  // namespace inkstream::transport
