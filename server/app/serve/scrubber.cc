#include "server/app/serve/scrubber.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "server/store/store_health.h"

namespace inkstream::app {
namespace {

// What is read between two pauses.
constexpr uint64_t kBurstBytes = uint64_t{256} << 10U;
// Between two passes, so that a small store is not read all the time.
constexpr std::chrono::seconds kBetweenPasses(1);
// How long an end waits for a read that is going on.
constexpr std::chrono::seconds kPatience(1);
// Lines a pass and dataset.
constexpr uint64_t kMostSaid = 10;

}  // namespace

// What the thread works on. It may outlive the scrubber, and the engine with
// it, where it hangs in a file system: the engine is touched under the lock
// only, and not once the scrubber is gone.
class Scrubber::Loop {
 public:
  Loop(batch::Engine* engine, uint64_t bytes_a_second, Report report)
      : bytes_a_second_(bytes_a_second),
        report_(std::move(report)),
        engine_(engine) {}

  void Run() {
    bool go_on = true;
    while (go_on) {
      for (const auto& [dataset, store] : Stores()) {
        go_on = go_on && Scrub(dataset, *store);
      }
      go_on = go_on && Pause(kBetweenPasses);
    }
    const std::lock_guard<std::mutex> lock(mu_);
    ended_ = true;
    changed_.notify_all();
  }

  // False: the thread hangs.
  bool Stop() {
    std::unique_lock<std::mutex> lock(mu_);
    engine_ = nullptr;
    changed_.notify_all();
    return changed_.wait_for(lock, kPatience, [this] { return ended_; });
  }

 private:
  using StoreMap =
      std::map<std::string, std::shared_ptr<const store::StoreReader>>;

  // By dataset; those that are lost are known to be.
  StoreMap Stores() {
    const std::lock_guard<std::mutex> lock(mu_);
    StoreMap stores;
    if (engine_ == nullptr) return stores;
    for (const std::string& dataset : engine_->datasets()) {
      absl::StatusOr<batch::DatasetFacts> facts =
          engine_->Describe(dataset, View());
      if (facts.ok()) stores[dataset] = std::move(facts->store);
    }
    return stores;
  }

  // False: it is to stop.
  bool Pause(std::chrono::nanoseconds pause) {
    std::unique_lock<std::mutex> lock(mu_);
    return !changed_.wait_for(lock, pause,
                              [this] { return engine_ == nullptr; });
  }

  // As Pause, for as long as `bytes` are worth.
  bool PauseFor(uint64_t bytes) {
    return Pause(std::chrono::nanoseconds(
        static_cast<int64_t>(1e9 * static_cast<double>(bytes) /
                             static_cast<double>(bytes_a_second_))));
  }

  bool Scrub(const std::string& dataset, const store::StoreReader& store) {
    Figures& figures = figures_[dataset];
    uint64_t damaged = 0;
    uint64_t owed = 0;
    const uint64_t parts = store::PartsOf(store);
    for (uint64_t part = 0; part < parts; ++part) {
      if (!store::CheckIntact(store).ok()) return true;
      const absl::StatusOr<uint64_t> bytes = store::ScrubPart(store, part);
      if (!bytes.ok() && ++damaged <= kMostSaid) {
        spdlog::error("dataset {}: damaged: {}", dataset,
                      std::string(bytes.status().message()));
      }
      // A part that is damaged is a pause, so that a ruin is not raced through.
      owed += bytes.value_or(kBurstBytes);
      figures.bytes += bytes.value_or(0);
      figures.damaged = std::max(figures.damaged, damaged);
      if (owed < kBurstBytes) continue;
      Tell(dataset, figures);
      if (!PauseFor(std::exchange(owed, 0))) return false;
    }
    ++figures.passes;
    figures.damaged = damaged;
    Tell(dataset, figures);
    return PauseFor(owed);
  }

  void Tell(const std::string& dataset, const Figures& figures) {
    const std::lock_guard<std::mutex> lock(mu_);
    if (engine_ != nullptr) report_(dataset, figures);
  }

  const uint64_t bytes_a_second_;
  const Report report_;
  std::map<std::string, Figures> figures_;  // of the thread
  std::mutex mu_;
  std::condition_variable changed_;
  batch::Engine* engine_;  // by mu_; null: stopped
  bool ended_ = false;     // by mu_
};

Scrubber::Scrubber(batch::Engine* engine, uint64_t bytes_a_second,
                   Report report)
    : loop_(std::make_shared<Loop>(engine, bytes_a_second, std::move(report))) {
  std::thread([loop = loop_] { loop->Run(); }).detach();
}

Scrubber::~Scrubber() {
  if (!loop_->Stop()) {
    spdlog::warn("a store does not answer; its file system is not waited for");
  }
}

}  // namespace inkstream::app
