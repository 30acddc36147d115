#include "server/app/serve/generation_watch.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/store/format.h"
#include "server/store/generation/lineage.h"
#include "server/store/store_health.h"

namespace inkstream::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLongestPause = std::chrono::minutes(1);

}  // namespace

// One store's, on a thread that may hang in its file system.
class GenerationWatch::StoreWatch {
 public:
  StoreWatch(batch::Engine* engine, Served served,
             const store::OpenOptions& options,
             std::chrono::milliseconds interval, Report report)
      : options_(options),
        interval_(interval),
        report_(std::move(report)),
        engine_(engine),
        served_(std::move(served)) {}

  void Run(DetachedThread::Owner* owner) {
    owner_ = owner;
    Tell();
    while (owner->Pause(interval_)) {
      const bool asked = asked_.exchange(false);
      const bool added = Look(asked);
      if (asked && !added) SayNothingNew();
    }
  }

  // From any thread: the next look is to be told of.
  void Ask() { asked_ = true; }

 private:
  void SayNothingNew() const {
    spdlog::info("dataset {}: nothing new in {}, fingerprint {}", served_.name,
                 served_.path, served_.store->info().fingerprint);
  }

  // Whether a new generation is served now.
  bool Look(bool asked) {
    const bool lost = IsLost();
    const Identity now = IdentityOf(served_.path);
    // A store that is gone from its path stays open here.
    if (!now.has_value()) return false;
    if (now == served_.manifest && !lost) {
      if (refused_.has_value()) SetRefused(std::nullopt);
      return false;
    }
    const bool again = now == refused_;
    if (again && !asked && Clock::now() < next_try_) return false;
    absl::StatusOr<std::shared_ptr<const store::StoreReader>> store =
        store::StoreReader::Open(served_.path, options_);
    const bool new_content =
        store.ok() &&
        (*store)->info().fingerprint != served_.store->info().fingerprint;
    absl::Status status = store.status();
    if (new_content)
      status = store::CheckContinues(served_.store->info(), **store);
    if ((new_content || lost) && status.ok()) status = Serve(*store);
    if (absl::IsCancelled(status)) return false;
    if (!status.ok()) {
      pause_ = again ? std::min(2 * pause_, kLongestPause) : interval_;
      next_try_ = Clock::now() + pause_;
      if (again && !asked) return false;
      SetRefused(now);
      spdlog::warn(
          "dataset {}: what stands at its path now cannot be served in place "
          "of generation {}; it is tried again in growing pauses: {}",
          served_.name, served_.store->info().generation,
          std::string(status.message()));
      return false;
    }
    served_.manifest = now;
    IsLost();
    if (refused_.has_value()) SetRefused(std::nullopt);
    return new_content;
  }

  // Whether a file of the store cannot be read any more; says so when it turns.
  bool IsLost() {
    store::LookAtFiles(*served_.store);
    const absl::Status intact = store::CheckIntact(*served_.store);
    const bool before = !state_.lost.empty();
    if (before == !intact.ok()) return before;
    state_.lost = std::string(intact.message());
    if (intact.ok()) {
      spdlog::info("dataset {}: whole again, and served", served_.name);
    } else {
      spdlog::error("dataset {}: it is not served until this is mended: {}",
                    served_.name, state_.lost);
    }
    Tell();
    return !before;
  }

  // CANCELLED: there is no engine any more.
  absl::Status Serve(std::shared_ptr<const store::StoreReader> store) {
    absl::Status added = absl::CancelledError("stopped");
    owner_->Do([&] { added = engine_->AddGeneration(served_.name, store); });
    if (!added.ok()) return added;
    served_.store = std::move(store);
    spdlog::info("dataset {}: generation {}, {} drawings, fingerprint {}",
                 served_.name, served_.store->info().generation,
                 served_.store->info().drawings,
                 served_.store->info().fingerprint);
    return absl::OkStatus();
  }

  void SetRefused(const Identity& refused) {
    refused_ = refused;
    state_.successor_refused = refused.has_value();
    Tell();
  }

  void Tell() {
    if (report_) owner_->Do([this] { report_(served_.name, state_); });
  }

  const store::OpenOptions options_;
  const std::chrono::milliseconds interval_;
  const Report report_;
  batch::Engine* const engine_;
  std::atomic<bool> asked_{false};
  // Of the thread:
  DetachedThread::Owner* owner_ = nullptr;
  Served served_;
  Identity refused_;  // the last one that could not be served
  State state_;
  std::chrono::milliseconds pause_{0};
  Clock::time_point next_try_;
};

GenerationWatch::Identity GenerationWatch::IdentityOf(
    const std::string& store) {
  struct stat found = {};
  if (stat(absl::StrCat(store, "/", store::kManifestName).c_str(), &found) != 0)
    return std::nullopt;
  return std::make_tuple(
      found.st_dev, found.st_ino, static_cast<int64_t>(found.st_size),
      int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec);
}

GenerationWatch::GenerationWatch(batch::Engine* engine,
                                 std::vector<Served> stores,
                                 const store::OpenOptions& options,
                                 std::chrono::milliseconds interval,
                                 const Report& report) {
  for (Served& served : stores) {
    auto watch = std::make_shared<StoreWatch>(engine, std::move(served),
                                              options, interval, report);
    auto thread = std::make_unique<DetachedThread>(
        [watch](DetachedThread::Owner* owner) { watch->Run(owner); });
    stores_.push_back({std::move(watch), std::move(thread)});
  }
}

GenerationWatch::~GenerationWatch() {
  for (const Store& store : stores_) store.thread->Stop();
}

void GenerationWatch::LookNow() {
  for (const Store& store : stores_) {
    store.watch->Ask();
    store.thread->Wake();
  }
}

}  // namespace inkstream::app
