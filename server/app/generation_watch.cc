#include "server/app/generation_watch.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/format.h"

namespace inkstream::app {

GenerationWatch::GenerationWatch(batch::Engine* engine,
                                 std::vector<Served> stores,
                                 const store::OpenOptions& options,
                                 std::chrono::milliseconds interval)
    : engine_(engine),
      options_(options),
      interval_(interval),
      stores_(std::move(stores)),
      thread_([this] { Run(); }) {}

GenerationWatch::~GenerationWatch() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void GenerationWatch::LookNow() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    asked_for_ = true;
  }
  changed_.notify_all();
}

GenerationWatch::Identity GenerationWatch::IdentityOf(
    const std::string& store) {
  struct stat found = {};
  if (stat(absl::StrCat(store, "/", store::kManifestName).c_str(), &found) != 0)
    return std::nullopt;
  return std::make_tuple(
      found.st_dev, found.st_ino, static_cast<int64_t>(found.st_size),
      int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec);
}

void GenerationWatch::Run() {
  std::unique_lock<std::mutex> lock(mu_);
  for (;;) {
    changed_.wait_for(lock, interval_,
                      [this] { return stopped_ || asked_for_; });
    if (stopped_) return;
    const bool tell = std::exchange(asked_for_, false);
    lock.unlock();
    for (Served& served : stores_) {
      const std::string before = served.fingerprint;
      Look(&served);
      if (tell && served.fingerprint == before) {
        spdlog::info("dataset {}: nothing new in {}, fingerprint {}",
                     served.name, served.path, served.fingerprint);
      }
    }
    lock.lock();
  }
}

void GenerationWatch::Look(Served* served) {
  const Identity now = IdentityOf(served->path);
  // A store that is gone from its path stays open here.
  if (!now.has_value() || now == served->manifest) return;
  // Tried once: what cannot be opened now is not going to be better.
  served->manifest = now;
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> store =
      store::StoreReader::Open(served->path, options_);
  if (!store.ok()) {
    spdlog::warn(
        "dataset {}: its new MANIFEST cannot be served, so the old "
        "one goes on: {}",
        served->name, std::string(store.status().message()));
    return;
  }
  const store::StoreInfo& info = (*store)->info();
  if (info.fingerprint == served->fingerprint) return;
  const absl::Status added = engine_->AddGeneration(served->name, *store);
  if (!added.ok()) {
    spdlog::warn("dataset {}: {}", served->name, std::string(added.message()));
    return;
  }
  served->fingerprint = info.fingerprint;
  spdlog::info("dataset {}: generation {}, {} drawings, fingerprint {}",
               served->name, info.generation, info.drawings, info.fingerprint);
}

}  // namespace inkstream::app
