#include "server/store/store_verifier.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/store/drawing_rules.h"
#include "server/store/format.h"
#include "server/store/generation/manifest.h"
#include "server/store/segment/segment_reader.h"
#include "server/store/store_reader.h"
#include "server/store/writing/content_counts.h"
#include "server/store/writing/fingerprint.h"

namespace inkstream::store {
namespace {

constexpr size_t kMaxProblems = 100;
constexpr uint64_t kProgressEvery = 8192;

class Problems {
 public:
  explicit Problems(VerifyReport* report) : report_(report) {}

  void Add(std::string text) {
    if (report_->problems.size() < kMaxProblems) {
      report_->problems.push_back(std::move(text));
    }
  }
  template <typename T>
  void Expect(absl::string_view what, const T& claimed, const T& found) {
    if (claimed == found) return;
    Add(absl::StrCat(what, ": the MANIFEST says ", claimed, ", found ", found));
  }

 private:
  VerifyReport* report_;
};

// The MANIFEST's rules and class names with nothing counted yet.
StoreInfo NothingCounted(const StoreInfo& claimed) {
  StoreInfo empty;
  empty.splits = claimed.splits;
  for (SplitInfo& split : empty.splits) {
    split.drawings = 0;
    split.members = 0;
    split.deltas = DeltaSums();
  }
  empty.classes = claimed.classes;
  empty.class_counts.resize(claimed.classes.size());
  return empty;
}

// What made a list is not to be seen in the drawings.
std::string OriginOf(const StoreInfo& claimed) {
  for (const SplitInfo& split : claimed.splits) {
    if (!split.listed_by.empty()) return split.listed_by;
  }
  return "source";
}

void CompareCounts(const StoreInfo& claimed, const StoreInfo& found,
                   Problems* problems) {
  problems->Expect("unlabelled", claimed.unlabelled, found.unlabelled);
  problems->Expect("countrycodes", claimed.with_countrycode,
                   found.with_countrycode);
  problems->Expect("timestamps", claimed.with_timestamp, found.with_timestamp);
  problems->Expect("recognized", claimed.with_recognized,
                   found.with_recognized);
  problems->Expect("key_ids", claimed.with_key_id, found.with_key_id);
  problems->Expect("times", claimed.with_times, found.with_times);
  problems->Expect("classes", claimed.classes.size(), found.classes.size());
  for (size_t c = 0; c < claimed.classes.size() && c < found.classes.size();
       ++c) {
    problems->Expect("class", claimed.classes[c], found.classes[c]);
    problems->Expect(absl::StrCat("class '", claimed.classes[c], "'"),
                     claimed.class_counts[c], found.class_counts[c]);
  }
  problems->Expect("splits", claimed.splits.size(), found.splits.size());
  for (size_t s = 0; s < claimed.splits.size() && s < found.splits.size();
       ++s) {
    const SplitInfo& split = claimed.splits[s];
    const std::string what = absl::StrCat("split '", split.name, "'");
    problems->Expect(what, split.name, found.splits[s].name);
    problems->Expect(what, split.drawings, found.splits[s].drawings);
    problems->Expect(absl::StrCat(what, ": members"), split.members,
                     found.splits[s].members);
    if (split.deltas.values > 0) {
      problems->Expect(absl::StrCat(what, ": standard deviation of deltas"),
                       split.delta_std, found.splits[s].delta_std);
    }
  }
  if (claimed.deltas.values > 0) {
    problems->Expect("standard deviation of deltas", claimed.delta_std,
                     found.delta_std);
  }
}

// The folds that segments keep for appending and merging.
absl::Status CompareFolds(const std::string& path,
                          const std::vector<Digest>& runs, Problems* problems) {
  const absl::StatusOr<Manifest> manifest = ReadManifest(path, nullptr);
  if (!manifest.ok()) return manifest.status();
  ModelCache models;
  const std::vector<DroppedRuns::Run>& dropped = manifest->dropped.runs();
  for (const SegmentEntry& entry : manifest->segments) {
    // Behind a dropped drawing, indices are not those that were folded.
    if (!dropped.empty() &&
        entry.first + entry.drawings > dropped.front().first) {
      break;
    }
    const absl::StatusOr<std::unique_ptr<SegmentReader>> segment =
        SegmentReader::Open(path, entry, &models);
    if (!segment.ok()) return segment.status();
    // A segment that was merged to another place keeps folds of its old one.
    if (entry.first % kFoldRun != (*segment)->header().fold_phase) continue;
    const uint64_t first = (entry.first + kFoldRun - 1) / kFoldRun;
    const uint64_t end = (entry.first + entry.drawings) / kFoldRun;
    const std::vector<Digest>& folds = (*segment)->folds();
    const uint64_t expected = end > first ? end - first : 0;
    bool equal = folds.size() == expected;
    for (uint64_t f = 0; equal && f < expected; ++f) {
      equal = folds[f] == runs[first + f];
    }
    if (!equal) {
      problems->Add(absl::StrCat((*segment)->path(), ": its ", folds.size(),
                                 " folds are not those of its drawings"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<VerifyReport> VerifyStore(const std::string& path,
                                         const VerifyProgress& progress,
                                         const std::atomic<bool>* interrupted) {
  absl::StatusOr<std::shared_ptr<const StoreReader>> store =
      StoreReader::Open(path, {.check_columns = true});
  if (!store.ok()) return store.status();
  const StoreInfo& claimed = (*store)->info();
  VerifyReport report;
  report.bytes_on_disk = claimed.bytes_on_disk;
  Problems problems(&report);
  ContentCounts counts(NothingCounted(claimed), OriginOf(claimed));
  FingerprintFold fold;
  Sha256 sha;
  std::string canonical;
  Drawing drawing;
  const std::unique_ptr<DrawingReader> reader = (*store)->NewDrawingReader();
  for (uint64_t index = 0; index < claimed.drawings; ++index) {
    if (index % kProgressEvery == 0) {
      if (interrupted != nullptr && interrupted->load()) {
        return absl::CancelledError(
            absl::StrCat("interrupted after ", index, " drawings"));
      }
      if (progress) progress(index, claimed.drawings);
    }
    absl::Status status = reader->ReadDrawing(index, &drawing);
    if (status.ok()) status = ValidateDrawing(drawing);
    if (!status.ok()) {
      ++report.damaged;
      problems.Add(std::string(status.message()));
      continue;
    }
    canonical.clear();
    AppendCanonical(drawing, &canonical);
    sha.Update(canonical);
    const Digest hash = sha.Finish();
    fold.Add(hash);
    DeltaSums deltas;
    deltas.Add(drawing.strokes());
    counts.Add(drawing, {(*store)->SplitHash(index), &hash, &deltas});
    ++report.drawings;
    report.points += drawing.x.size();
    report.strokes += drawing.stroke_ends.size();
  }
  if (progress) progress(claimed.drawings, claimed.drawings);
  if (report.damaged > 0) {
    problems.Add(absl::StrCat(report.damaged, " of ", claimed.drawings,
                              " drawings are damaged"));
    return report;
  }
  StoreInfo found;
  counts.FillIn(&found);
  CompareCounts(claimed, found, &problems);
  absl::Status folds = CompareFolds(path, fold.runs(), &problems);
  if (!folds.ok()) return folds;
  report.fingerprint = fold.Finish();
  problems.Expect("fingerprint", claimed.fingerprint, report.fingerprint);
  return report;
}

}  // namespace inkstream::store
