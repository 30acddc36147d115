#include "server/app/generation_watch.h"

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
#include "server/store/lineage.h"

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
    std::chrono::milliseconds pause{0};
    Clock::time_point next_try;
  };

  static void SayNothingNew(const Served& served) {
    spdlog::info("dataset {}: nothing new in {}, fingerprint {}", served.name,
                 served.path, served.info.fingerprint);
  }

  // Whether a new generation is served now.
  bool Look(Watched* watched, bool asked) {
    const Served& served = watched->served;
    const Identity now = IdentityOf(served.path);
    // A store that is gone from its path stays open here.
    if (!now.has_value()) return false;
    if (now == served.manifest) {
      if (watched->refused.has_value()) SetRefused(watched, std::nullopt);
      return false;
    }
    const bool again = now == watched->refused;
    if (again && !asked && Clock::now() < watched->next_try) return false;
    absl::StatusOr<std::shared_ptr<const store::StoreReader>> store =
        store::StoreReader::Open(served.path, options_);
    const bool new_content =
        store.ok() && (*store)->info().fingerprint != served.info.fingerprint;
    absl::Status status = store.status();
    if (new_content) status = store::CheckContinues(served.info, **store);
    if (new_content && status.ok()) status = Serve(*store, &watched->served);
    if (absl::IsCancelled(status)) return false;
    if (!status.ok()) {
      watched->pause =
          again ? std::min(2 * watched->pause, kLongestPause) : interval_;
      watched->next_try = Clock::now() + watched->pause;
      if (again && !asked) return false;
      SetRefused(watched, now);
      spdlog::warn(
          "dataset {}: what stands at its path now cannot be served, so "
          "generation {} goes on; it is tried again in growing pauses: {}",
          served.name, served.info.generation, std::string(status.message()));
      return false;
    }
    watched->served.manifest = now;
    if (watched->refused.has_value()) SetRefused(watched, std::nullopt);
    return new_content;
  }

  // CANCELLED: there is no engine any more.
  absl::Status Serve(std::shared_ptr<const store::StoreReader> store,
                     Served* served) {
    const std::lock_guard<std::mutex> lock(mu_);
    if (engine_ == nullptr) return absl::CancelledError("stopped");
    absl::Status added = engine_->AddGeneration(served->name, store);
    if (!added.ok()) return added;
    served->info = store->info();
    spdlog::info("dataset {}: generation {}, {} drawings, fingerprint {}",
                 served->name, served->info.generation, served->info.drawings,
                 served->info.fingerprint);
    return absl::OkStatus();
  }

  void SetRefused(Watched* watched, const Identity& refused) {
    watched->refused = refused;
    const std::lock_guard<std::mutex> lock(mu_);
    if (engine_ == nullptr || !report_) return;
    report_(watched->served.name, {.successor_refused = refused.has_value()});
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
