#include "server/app/serve/generation_watch.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
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
// How long an end waits for a look that is being taken.
constexpr std::chrono::seconds kPatience(1);

}  // namespace

// What the thread works on. It may outlive the watch, and the engine with it:
// a thread that hangs in a file system cannot be ended. So nothing of the
// engine is touched but under the lock, and not once the watch is gone.
class GenerationWatch::Loop {
 public:
  Loop(batch::Engine* engine, std::vector<Served> stores,
       const store::OpenOptions& options, std::chrono::milliseconds interval,
       Report report)
      : options_(options),
        interval_(interval),
        report_(std::move(report)),
        engine_(engine) {
    for (Served& served : stores) stores_.push_back({std::move(served)});
  }

  void Run() {
    std::unique_lock<std::mutex> lock(mu_);
    for (const Watched& watched : stores_) {
      if (engine_ != nullptr && report_) report_(watched.served.name, {});
    }
    while (engine_ != nullptr) {
      changed_.wait_for(lock, interval_,
                        [this] { return engine_ == nullptr || asked_; });
      if (engine_ == nullptr) break;
      const bool asked = std::exchange(asked_, false);
      lock.unlock();
      for (Watched& watched : stores_) {
        const bool added = Look(&watched, asked);
        if (asked && !added) SayNothingNew(watched.served);
      }
      lock.lock();
    }
    ended_ = true;
    changed_.notify_all();
  }

  void LookNow() {
    const std::lock_guard<std::mutex> lock(mu_);
    asked_ = true;
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
  struct Watched {
    Served served;
    Identity refused;  // the last one that could not be served
    State state = {};
    std::chrono::milliseconds pause{0};
    Clock::time_point next_try;
  };

  static void SayNothingNew(const Served& served) {
    spdlog::info("dataset {}: nothing new in {}, fingerprint {}", served.name,
                 served.path, served.store->info().fingerprint);
  }

  // Whether a new generation is served now.
  bool Look(Watched* watched, bool asked) {
    const Served& served = watched->served;
    const bool lost = IsLost(watched);
    const Identity now = IdentityOf(served.path);
    // A store that is gone from its path stays open here.
    if (!now.has_value()) return false;
    if (now == served.manifest && !lost) {
      if (watched->refused.has_value()) SetRefused(watched, std::nullopt);
      return false;
    }
    const bool again = now == watched->refused;
    if (again && !asked && Clock::now() < watched->next_try) return false;
    absl::StatusOr<std::shared_ptr<const store::StoreReader>> store =
        store::StoreReader::Open(served.path, options_);
    const bool new_content = store.ok() && (*store)->info().fingerprint !=
                                               served.store->info().fingerprint;
    absl::Status status = store.status();
    if (new_content)
      status = store::CheckContinues(served.store->info(), **store);
    if ((new_content || lost) && status.ok()) {
      status = Serve(*store, &watched->served);
    }
    if (absl::IsCancelled(status)) return false;
    if (!status.ok()) {
      watched->pause =
          again ? std::min(2 * watched->pause, kLongestPause) : interval_;
      watched->next_try = Clock::now() + watched->pause;
      if (again && !asked) return false;
      SetRefused(watched, now);
      spdlog::warn(
          "dataset {}: what stands at its path now cannot be served in place "
          "of generation {}; it is tried again in growing pauses: {}",
          served.name, served.store->info().generation,
          std::string(status.message()));
      return false;
    }
    watched->served.manifest = now;
    IsLost(watched);
    if (watched->refused.has_value()) SetRefused(watched, std::nullopt);
    return new_content;
  }

  // Whether a file of the store cannot be read any more; says so when it turns.
  bool IsLost(Watched* watched) {
    const Served& served = watched->served;
    store::LookAtFiles(*served.store);
    const absl::Status intact = store::CheckIntact(*served.store);
    const bool before = !watched->state.lost.empty();
    if (before == !intact.ok()) return before;
    watched->state.lost = std::string(intact.message());
    if (intact.ok()) {
      spdlog::info("dataset {}: whole again, and served", served.name);
    } else {
      spdlog::error("dataset {}: it is not served until this is mended: {}",
                    served.name, watched->state.lost);
    }
    Tell(*watched);
    return !before;
  }

  // CANCELLED: there is no engine any more.
  absl::Status Serve(std::shared_ptr<const store::StoreReader> store,
                     Served* served) {
    const std::lock_guard<std::mutex> lock(mu_);
    if (engine_ == nullptr) return absl::CancelledError("stopped");
    absl::Status added = engine_->AddGeneration(served->name, store);
    if (!added.ok()) return added;
    served->store = std::move(store);
    spdlog::info("dataset {}: generation {}, {} drawings, fingerprint {}",
                 served->name, served->store->info().generation,
                 served->store->info().drawings,
                 served->store->info().fingerprint);
    return absl::OkStatus();
  }

  void SetRefused(Watched* watched, const Identity& refused) {
    watched->refused = refused;
    watched->state.successor_refused = refused.has_value();
    Tell(*watched);
  }

  void Tell(const Watched& watched) {
    const std::lock_guard<std::mutex> lock(mu_);
    if (engine_ != nullptr && report_)
      report_(watched.served.name, watched.state);
  }

  const store::OpenOptions options_;
  const std::chrono::milliseconds interval_;
  const Report report_;
  std::vector<Watched> stores_;  // of the thread
  std::mutex mu_;
  std::condition_variable changed_;
  batch::Engine* engine_;  // by mu_; null: stopped
  bool asked_ = false;     // by mu_
  bool ended_ = false;     // by mu_
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
                                 Report report)
    : loop_(std::make_shared<Loop>(engine, std::move(stores), options, interval,
                                   std::move(report))) {
  std::thread([loop = loop_] { loop->Run(); }).detach();
}

GenerationWatch::~GenerationWatch() {
  if (!loop_->Stop()) {
    spdlog::warn("a store does not answer; its file system is not waited for");
  }
}

void GenerationWatch::LookNow() { loop_->LookNow(); }

}  // namespace inkstream::app
