#include "server/store/generation/generation_finish.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/generation/duplicate_keys.h"
#include "server/store/generation/fingerprint_fold.h"
#include "server/store/generation/open_store.h"

namespace inkstream::store {
namespace {

absl::Status Uncount(const OpenStore& store,
                     const std::vector<uint64_t>& places,
                     ContentCounts* counts) {
  const std::unique_ptr<DrawingReader> reader = store.NewDrawingReader();
  Sha256 sha;
  std::string canonical;
  Drawing drawing;
  for (const uint64_t place : places) {
    const uint64_t index = store.dropped().IndexOf(place);
    absl::Status status = reader->ReadDrawing(index, &drawing);
    if (!status.ok()) return status;
    canonical.clear();
    AppendCanonical(drawing, &canonical);
    sha.Update(canonical);
    const Digest hash = sha.Finish();
    DeltaSums deltas;
    deltas.Add(drawing.strokes());
    counts->Remove(drawing, {store.SplitHash(index), &hash, &deltas});
  }
  return absl::OkStatus();
}

// The runs of `dropped` and of `places`, both ascending.
DroppedRuns Union(const DroppedRuns& dropped,
                  const std::vector<uint64_t>& places) {
  DroppedRuns result;
  auto run = dropped.runs().begin();
  for (const uint64_t place : places) {
    for (; run != dropped.runs().end() && run->first < place; ++run) {
      result.Add(run->first, run->count);
    }
    result.Add(place, 1);
  }
  for (; run != dropped.runs().end(); ++run) result.Add(run->first, run->count);
  return result;
}

}  // namespace

absl::Status FinishGeneration(const GenerationParts& parts,
                              ContentCounts* counts, FingerprintFold* fold,
                              Manifest* manifest) {
  counts->FillIn(&manifest->info);
  manifest->info.dropped = manifest->dropped.count();
  const auto open = [&] {
    return OpenStore::Create(parts.path, *manifest, parts.directories, 0,
                             {.check_columns = true});
  };
  absl::StatusOr<std::shared_ptr<const OpenStore>> store = open();
  if (!store.ok()) return store.status();
  absl::StatusOr<DuplicateKeys> found =
      FindDuplicateKeys(**store, parts.memory_bytes,
                        parts.duplicates == Duplicates::kFirst, parts.threads);
  if (!found.ok()) return found.status();
  if (found->count > 0 && parts.duplicates == Duplicates::kError) {
    return absl::InvalidArgumentError(absl::StrCat(
        found->count, " drawings repeat a key_id, such as ", found->key_id,
        " of drawing ", (*store)->dropped().IndexOf(found->first_place),
        " in drawing ", (*store)->dropped().IndexOf(found->place),
        "; keep them with --duplicates keep, or the first of each with "
        "--duplicates first"));
  }
  // What is served already keeps its indices.
  std::vector<uint64_t> places = std::move(found->places);
  places.erase(places.begin(), std::lower_bound(places.begin(), places.end(),
                                                parts.new_places));
  manifest->info.duplicates = found->count - places.size();
  if (!places.empty()) {
    absl::Status status = Uncount(**store, places, counts);
    if (!status.ok()) return status;
    manifest->dropped = Union(manifest->dropped, places);
    const uint64_t duplicates = manifest->info.duplicates;
    counts->FillIn(&manifest->info);
    manifest->info.duplicates = duplicates;
    manifest->info.dropped = manifest->dropped.count();
    store = open();
    if (!store.ok()) return store.status();
    fold = nullptr;
  }
  FingerprintFold read;
  if (fold == nullptr) {
    absl::Status status = FoldStore(**store, parts.threads, &read);
    if (!status.ok()) return status;
    fold = &read;
  }
  manifest->info.fingerprint = fold->Finish();
  return absl::OkStatus();
}

}  // namespace inkstream::store
