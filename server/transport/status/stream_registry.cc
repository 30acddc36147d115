#include "server/transport/status/stream_registry.h"

#include <algorithm>
#include <utility>

namespace inkstream::transport {
namespace {

// Of who takes nothing of the last batch in hand, when all others have gone or
// are served: the same can be had elsewhere.
constexpr std::chrono::milliseconds kDrainPatience{2000};

StreamSeconds SecondsOf(const StreamReport& report) {
  return {report.opening, report.waited_network, report.waited};
}

}  // namespace

StreamRegistry::StreamRegistry(std::chrono::milliseconds stall,
                               std::chrono::milliseconds max_age,
                               CallObserver* observer)
    : observer_(observer),
      stall_(stall),
      max_age_(max_age),
      watcher_([this] { Watch(); }) {}

StreamRegistry::~StreamRegistry() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    stopped_ = true;
  }
  changed_.notify_all();
  watcher_.join();
}

void StreamRegistry::SetTimes(std::chrono::milliseconds stall,
                              std::chrono::milliseconds max_age) {
  const std::lock_guard<std::mutex> lock(mu_);
  stall_ = stall;
  max_age_ = max_age;
}

void StreamRegistry::AlsoWatch(
    std::function<void(StreamSession::Clock::time_point)> end_stalled) {
  const std::lock_guard<std::mutex> lock(mu_);
  end_stalled_ = std::move(end_stalled);
}

void StreamRegistry::Add(std::shared_ptr<StreamSession> session) {
  bool drain = false;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    session->set_id(next_id_);
    session->TellOf(&counts_, observer_);
    if (max_age_.count() > 0) {
      // Spread, so that what was opened together does not come back together.
      std::uniform_real_distribution<double> spread(0.9, 1.1);
      due_.emplace(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      max_age_ * spread(random_)),
                   next_id_);
    }
    sessions_.emplace(next_id_++, session);
    drain = draining_;
  }
  if (drain) session->Drain();
}

void StreamRegistry::Remove(uint64_t id) {
  std::shared_ptr<StreamSession> removed;
  StreamReport report;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    removed = std::move(found->second);
    sessions_.erase(found);
    report = removed->Report();
    counts_.StreamEnded(report.dataset, SecondsOf(report),
                        report.end.value_or(absl::OkStatus()),
                        report.end_reason);
  }
  changed_.notify_all();
  if (observer_ == nullptr || !report.end.has_value()) return;
  if (!report.dataset.empty()) {
    observer_->OnStreamEnded(report);
  } else if (!report.end->ok() && !absl::IsCancelled(*report.end)) {
    observer_->OnRefused("StreamBatches", {report.peer, report.caller},
                         *report.end);
  }
}

void StreamRegistry::Leave() {
  const std::lock_guard<std::mutex> lock(mu_);
  leaving_ = true;
}

bool StreamRegistry::leaving() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return leaving_;
}

void StreamRegistry::Drain(std::chrono::milliseconds spread) {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    leaving_ = true;
    draining_ = true;
    std::vector<uint64_t> ids;
    for (const auto& [id, session] : sessions_) ids.push_back(id);
    std::shuffle(ids.begin(), ids.end(), random_);
    due_.clear();
    const Clock::time_point now = Clock::now();
    for (size_t i = 0; i < ids.size(); ++i) {
      due_.emplace(now + spread * i / ids.size(), ids[i]);
    }
  }
  changed_.notify_all();
}

bool StreamRegistry::draining() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return draining_;
}

bool StreamRegistry::WaitUntilEmpty(
    std::chrono::steady_clock::time_point deadline) {
  std::unique_lock<std::mutex> lock(mu_);
  return changed_.wait_until(lock, deadline,
                             [this] { return sessions_.empty(); });
}

std::vector<StreamReport> StreamRegistry::Reports() const {
  std::vector<StreamReport> reports;
  for (const std::shared_ptr<StreamSession>& session : Sessions()) {
    if (!session->finished()) reports.push_back(session->Report());
  }
  return reports;
}

std::map<std::string, StreamSeconds> StreamRegistry::SecondsByDataset() const {
  const std::lock_guard<std::mutex> lock(mu_);
  std::map<std::string, StreamSeconds> seconds = counts_.values().gone_streams;
  for (const auto& [id, session] : sessions_) {
    const StreamReport report = session->Report();
    if (!report.dataset.empty()) seconds[report.dataset] += SecondsOf(report);
  }
  return seconds;
}

std::vector<std::shared_ptr<StreamSession>> StreamRegistry::Sessions() const {
  const std::lock_guard<std::mutex> lock(mu_);
  std::vector<std::shared_ptr<StreamSession>> sessions;
  sessions.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) sessions.push_back(session);
  return sessions;
}

std::vector<std::shared_ptr<StreamSession>> StreamRegistry::TakeDue(
    Clock::time_point now) {
  std::vector<std::shared_ptr<StreamSession>> due;
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto found = sessions_.find(due_.begin()->second);
    if (found != sessions_.end()) due.push_back(found->second);
    due_.erase(due_.begin());
  }
  return due;
}

std::chrono::milliseconds StreamRegistry::LookInterval() const {
  const std::chrono::milliseconds soonest =
      max_age_.count() > 0 ? std::min(stall_, max_age_) : stall_;
  return std::clamp<std::chrono::milliseconds>(
      soonest / 4, std::chrono::milliseconds(10), std::chrono::seconds(1));
}

void StreamRegistry::Watch() {
  std::unique_lock<std::mutex> lock(mu_);
  Clock::time_point next_look = Clock::now() + LookInterval();
  while (!stopped_) {
    const Clock::time_point wake =
        due_.empty() ? next_look : std::min(next_look, due_.begin()->first);
    changed_.wait_until(lock, wake);
    const Clock::time_point now = Clock::now();
    const std::vector<std::shared_ptr<StreamSession>> due = TakeDue(now);
    const bool drain = draining_;
    const bool all_told = drain && due_.empty();
    const std::chrono::milliseconds patience =
        all_told ? std::min(stall_, kDrainPatience) : stall_;
    const auto end_stalled = end_stalled_;
    lock.unlock();
    for (const std::shared_ptr<StreamSession>& session : due) {
      if (drain) {
        session->Drain();
      } else {
        session->Rebalance();
      }
    }
    if (now >= next_look) {
      const Clock::time_point since = now - patience;
      if (end_stalled != nullptr) end_stalled(since);
      for (const std::shared_ptr<StreamSession>& session : Sessions()) {
        session->EndIfStalled(since);
      }
    }
    lock.lock();
    if (now >= next_look) next_look = now + LookInterval();
  }
}

}  // namespace inkstream::transport
