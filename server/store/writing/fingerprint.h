// The identity of a store's content: which drawings, in which order. It does
// not depend on segments, blocks, models or threads.
//
// Thread safety: one thread an object.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "inkstream/drawing.h"
#include "server/store/writing/sha256.h"

namespace inkstream::store {

// Appends the canonical bytes of a drawing: strokes and all columns, with
// what is absent told from what is empty. FORMAT.md has the layout.
void AppendCanonical(const Drawing& drawing, std::string* out);

// Folds drawings' hashes into one SHA-256 a run of kFoldRun drawings (counted
// from index 0 of the store), and those into the fingerprint.
class FingerprintFold {
 public:
  // The SHA-256 of the next drawing, or of several, in index order.
  void Add(const Digest& drawing) { Add(absl::MakeConstSpan(&drawing, 1)); }
  void Add(absl::Span<const Digest> drawings);
  // A whole run at once. REQUIRES: drawings() is a multiple of kFoldRun.
  void AddRun(const Digest& run);

  uint64_t drawings() const { return drawings_; }
  const std::vector<Digest>& runs() const { return runs_; }
  // Lower-case hex. Adding may not go on afterwards.
  std::string Finish();

 private:
  uint64_t drawings_ = 0;
  std::vector<Digest> runs_;  // complete ones
  Sha256 open_run_;
};

}  // namespace inkstream::store
