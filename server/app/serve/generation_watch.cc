#include "server/app/serve/generation_watch.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
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

absl::Status LookAt(const store::StoreReader& store) {
  store::LookAtFiles(store);
  return store::CheckIntact(store);
}

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
      const uint64_t asked = AskedFor();
      const bool was_asked = asked > answered_;
      const bool added = Look(was_asked);
      if (!was_asked) continue;
      if (!added) SayNothingNew();
      Answer(asked);
    }
  }

  // From any thread: the next look is to be told of.
  void Ask() {
    const std::lock_guard<std::mutex> lock(mu_);
    ++asked_;
  }
  // What was asked for has come, or will not before `until`.
  void WaitUntil(Clock::time_point until) {
    std::unique_lock<std::mutex> lock(mu_);
    looked_.wait_until(lock, until, [this] { return answered_ == asked_; });
  }

 private:
  uint64_t AskedFor() {
    const std::lock_guard<std::mutex> lock(mu_);
    return asked_;
  }
  void Answer(uint64_t asked) {
    const std::lock_guard<std::mutex> lock(mu_);
    answered_ = asked;
    looked_.notify_all();
  }

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
    if (lost && status.ok()) status = OpenPinnedAgain();
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
    absl::Status intact = LookAt(*served_.store);
    if (const auto pinned = Pinned()) intact.Update(LookAt(*pinned));
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

  // What is in use where that is not the newest; else null.
  std::shared_ptr<const store::StoreReader> Pinned() {
    std::shared_ptr<const store::StoreReader> in_use;
    owner_->Do([&] {
      for (batch::ServedStore& one : engine_->stores()) {
        if (one.dataset == served_.name) in_use = std::move(one.store);
      }
    });
    const bool newest =
        in_use == nullptr ||
        in_use->info().fingerprint == served_.store->info().fingerprint;
    return newest ? nullptr : in_use;
  }

  absl::Status OpenPinnedAgain() {
    const auto pinned = Pinned();
    if (pinned == nullptr) return absl::OkStatus();
    store::OpenOptions options = options_;
    options.fingerprint = pinned->info().fingerprint;
    absl::StatusOr<std::shared_ptr<const store::StoreReader>> again =
        store::StoreReader::Open(served_.path, options);
    return again.ok() ? Add(*std::move(again)) : again.status();
  }

  // CANCELLED: there is no engine any more.
  absl::Status Add(std::shared_ptr<const store::StoreReader> store) {
    absl::Status added = absl::CancelledError("stopped");
    owner_->Do([&] {
      added = engine_->AddGeneration(served_.name, std::move(store));
    });
    return added;
  }

  absl::Status Serve(std::shared_ptr<const store::StoreReader> store) {
    absl::Status added = Add(store);
    if (!added.ok()) return added;
    served_.store = std::move(store);
    const auto pinned = Pinned();
    spdlog::info(
        "dataset {}: generation {}, {} drawings, fingerprint {}{}",
        served_.name, served_.store->info().generation,
        served_.store->info().drawings, served_.store->info().fingerprint,
        pinned == nullptr
            ? ""
            : absl::StrCat("; streams that name none get ",
                           pinned->info().fingerprint, ", by --generation"));
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
  std::mutex mu_;
  std::condition_variable looked_;
  uint64_t asked_ = 0;     // by mu_
  uint64_t answered_ = 0;  // by mu_; written by the thread alone
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

void GenerationWatch::LookNow(std::chrono::milliseconds patience) {
  for (const Store& store : stores_) {
    store.watch->Ask();
    store.thread->Wake();
  }
  const Clock::time_point until = Clock::now() + patience;
  for (const Store& store : stores_) store.watch->WaitUntil(until);
}

}  // namespace inkstream::app
