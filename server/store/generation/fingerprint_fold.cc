#include "server/store/generation/fingerprint_fold.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/store/format.h"
#include "server/store/writing/sha256.h"

namespace inkstream::store {
namespace {

// Runs. What was read is not to add up in memory: a run's pages are some 10 MB.
constexpr uint64_t kLetGoEvery = 2;

// The folds that hold where their segments stand now, by run.
std::vector<std::optional<Digest>> KnownFolds(const OpenStore& store) {
  std::vector<std::optional<Digest>> known(store.size() / kFoldRun);
  const std::vector<DroppedRuns::Run>& dropped = store.dropped().runs();
  // Behind a dropped drawing, indices are no longer those of the writer.
  const uint64_t end = dropped.empty() ? store.size() : dropped.front().first;
  for (size_t s = 0; s < store.segments(); ++s) {
    const SegmentReader& segment = store.segment(s);
    if (segment.first() % kFoldRun != segment.header().fold_phase) continue;
    uint64_t run = (segment.first() + kFoldRun - 1) / kFoldRun;
    for (const Digest& fold : segment.folds()) {
      if ((run + 1) * kFoldRun > end) break;
      known[run++] = fold;
    }
  }
  return known;
}

// Adds the drawings of one run that are in the store.
absl::Status ReadRun(const OpenStore& store, uint64_t run,
                     DrawingReader* reader, FingerprintFold* fold) {
  Sha256 sha;
  std::string canonical;
  Drawing drawing;
  const uint64_t end = std::min(store.size(), (run + 1) * kFoldRun);
  for (uint64_t index = run * kFoldRun; index < end; ++index) {
    absl::Status status = reader->ReadDrawing(index, &drawing);
    if (!status.ok()) return status;
    canonical.clear();
    AppendCanonical(drawing, &canonical);
    sha.Update(canonical);
    fold->Add(sha.Finish());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FoldStore(const OpenStore& store, int threads,
                       FingerprintFold* result) {
  std::vector<std::optional<Digest>> folds = KnownFolds(store);
  std::atomic<uint64_t> next{0};
  std::mutex mutex;
  absl::Status failed;  // guarded by mutex
  const auto work = [&] {
    const std::unique_ptr<DrawingReader> reader = store.NewDrawingReader();
    for (uint64_t run; (run = next.fetch_add(1)) < folds.size();) {
      if (folds[run].has_value()) continue;
      FingerprintFold fold;
      const absl::Status status = ReadRun(store, run, reader.get(), &fold);
      if (!status.ok()) {
        const std::lock_guard<std::mutex> lock(mutex);
        failed.Update(status);
        next = folds.size();
        return;
      }
      folds[run] = fold.runs().front();
      if (run % kLetGoEvery == 0) store.LetGo();
    }
  };
  std::vector<std::thread> helpers;
  for (int t = 1; t < threads; ++t) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  if (!failed.ok()) return failed;
  for (const std::optional<Digest>& run : folds) result->AddRun(*run);
  if (store.size() % kFoldRun == 0) return absl::OkStatus();
  return ReadRun(store, folds.size(), store.NewDrawingReader().get(), result);
}

}  // namespace inkstream::store
