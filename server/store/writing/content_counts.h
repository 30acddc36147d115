// Counts of what went into a store, for its MANIFEST.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"
#include "server/store/store_reader.h"
#include "server/store/writing/sha256.h"
#include "server/store/writing/unit_encoder.h"

namespace inkstream::store {

// What is counted of a drawing besides its columns.
struct DrawingFacts {
  uint64_t split_hash = 0;
  const Digest* hash = nullptr;  // of its canonical bytes
  const DeltaSums* deltas = nullptr;
};

class ContentCounts {
 public:
  // Distinct classes, and distinct listed splits, of a store at most: more are
  // a mistake in the input, and memory would grow with them.
  static constexpr size_t kMaxClasses = 65536;
  static constexpr size_t kMaxSplits = 4096;

  // Nothing counted yet. `splits`: the hash rules. `listed_by`: what puts
  // drawings into splits by name, see SplitInfo.
  ContentCounts(std::vector<SplitInfo> splits, std::string listed_by);
  // Goes on from the counts of a store.
  ContentCounts(const StoreInfo& base, std::string listed_by);

  void Add(const Drawing& drawing, const DrawingFacts& facts);
  void Add(const EncodedUnit& unit);
  // Takes back a drawing that was counted.
  void Remove(const Drawing& drawing, const DrawingFacts& facts);
  // Adds the counts of another store. REQUIRES: the same hash rules.
  void AddStore(const StoreInfo& other);
  // Names a class that may have no drawings.
  void AddClass(const std::string& name) { words_.try_emplace(name, 0); }

  // INVALID_ARGUMENT: over one of the limits above.
  absl::Status CheckLimits() const;
  uint64_t drawings() const { return info_.drawings; }

  // Fills counts, classes, splits and deltas.
  void FillIn(StoreInfo* info) const;

 private:
  void Count(const Drawing& drawing, const DrawingFacts& facts, bool remove);
  void CountListed(const std::string& split, const DrawingFacts& facts,
                   bool remove);
  void CountRanges(const DrawingFacts& facts, bool remove);
  SplitInfo& SplitNamed(absl::string_view name);
  void TakeSplits(const StoreInfo& from);

  std::map<std::string, uint64_t> words_;  // as written
  uint64_t* last_count_ = nullptr;
  std::string last_word_;
  std::string listed_by_;
  // Ranges first. `rule` is that of the range alone, empty without one.
  std::vector<SplitInfo> splits_;
  size_t last_listed_ = 0;
  // A store without sums was added: what they would say is not true.
  bool deltas_unknown_ = false;
  StoreInfo info_;
};

}  // namespace inkstream::store
