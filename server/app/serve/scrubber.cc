#include "server/app/serve/scrubber.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/store_health.h"

namespace inkstream::app {
namespace {

// What is read between two pauses.
constexpr uint64_t kBurstBytes = uint64_t{256} << 10U;
// Between two passes, so that a small store is not read all the time.
constexpr std::chrono::seconds kBetweenPasses(1);
// Lines a pass.
constexpr uint64_t kMostSaid = 10;

}  // namespace

// One dataset's, on a thread that may hang in its file system.
class Scrubber::DatasetScrub {
 public:
  DatasetScrub(batch::Engine* engine, std::string dataset,
               uint64_t bytes_a_second, Report report)
      : dataset_(std::move(dataset)),
        bytes_a_second_(bytes_a_second),
        report_(std::move(report)),
        engine_(engine) {}

  void Run(DetachedThread::Owner* owner) {
    owner_ = owner;
    do {
      const std::shared_ptr<const store::StoreReader> store = Newest();
      if (store != nullptr && !Scrub(*store)) return;
    } while (owner->Pause(kBetweenPasses));
  }

 private:
  std::shared_ptr<const store::StoreReader> Newest() {
    std::shared_ptr<const store::StoreReader> newest;
    owner_->Do([&] {
      for (batch::ServedStore& served : engine_->stores()) {
        if (served.dataset == dataset_) newest = std::move(served.store);
      }
    });
    return newest;
  }

  // As Pause, for as long as `bytes` are worth.
  bool PauseFor(uint64_t bytes) {
    return owner_->Pause(std::chrono::nanoseconds(
        static_cast<int64_t>(1e9 * static_cast<double>(bytes) /
                             static_cast<double>(bytes_a_second_))));
  }

  // False: it is to stop.
  bool Scrub(const store::StoreReader& store) {
    uint64_t damaged = 0;
    uint64_t owed = 0;
    const uint64_t parts = store::PartsOf(store);
    for (uint64_t part = 0; part < parts; ++part) {
      // What is lost is known to be.
      if (!store::CheckIntact(store).ok()) return true;
      const absl::StatusOr<uint64_t> bytes = store::ScrubPart(store, part);
      if (!bytes.ok() && ++damaged <= kMostSaid) {
        spdlog::error("dataset {}: damaged: {}", dataset_,
                      std::string(bytes.status().message()));
      }
      // A part that is damaged is a pause, so that a ruin is not raced through.
      owed += bytes.value_or(kBurstBytes);
      figures_.bytes += bytes.value_or(0);
      figures_.damaged = std::max(figures_.damaged, damaged);
      if (owed < kBurstBytes) continue;
      Tell();
      if (!PauseFor(std::exchange(owed, 0))) return false;
    }
    ++figures_.passes;
    figures_.damaged = damaged;
    Tell();
    return PauseFor(owed);
  }

  void Tell() {
    owner_->Do([this] { report_(dataset_, figures_); });
  }

  const std::string dataset_;
  const uint64_t bytes_a_second_;
  const Report report_;
  batch::Engine* const engine_;
  // Of the thread:
  DetachedThread::Owner* owner_ = nullptr;
  Figures figures_;
};

Scrubber::Scrubber(batch::Engine* engine, uint64_t bytes_a_second,
                   const Report& report) {
  const std::vector<std::string> datasets = engine->datasets();
  for (const std::string& dataset : datasets) {
    const uint64_t share =
        std::max<uint64_t>(1, bytes_a_second / datasets.size());
    auto scrub = std::make_shared<DatasetScrub>(engine, dataset, share, report);
    threads_.push_back(std::make_unique<DetachedThread>(
        [scrub](DetachedThread::Owner* owner) { scrub->Run(owner); }));
  }
}

Scrubber::~Scrubber() {
  for (const auto& thread : threads_) thread->Stop();
}

}  // namespace inkstream::app
