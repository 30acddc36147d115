// Which drawings an ingest puts into splits by name.
//
// Thread safety: const methods from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/store/writing/packed_drawings.h"

namespace inkstream::ingest {

class SplitRules {
 public:
  // Keys of all lists together: they are held in memory, 16 bytes each.
  static constexpr size_t kMaxListedKeys = size_t{1} << 23;

  // "file": the input's name up to its first '.'. "directory": the directory it
  // is in. "recognized": the splits recognized and unrecognized. Characters
  // that a split's name cannot have become '_'. INVALID_ARGUMENT: another rule.
  absl::Status SetRule(absl::string_view by);

  // Drawings whose key_ids stand in `path`, one a line, are in split `name`.
  // INVALID_ARGUMENT names the line that is no key, is listed twice, or is one
  // too many.
  absl::Status AddList(const std::string& name, const std::string& path);

  // Drawings that name a split themselves keep it; then lists decide, then the
  // rule. What is left has none. `input`: the path that they came from.
  void Apply(const std::string& input, store::PackedDrawings* drawings) const;

  // The split of all of an input's drawings by the rule; empty: none.
  std::string SplitOfInput(const std::string& input) const;

  // What Describe shows as the origin: the rule, "list", "listed" for both, or
  // "source".
  std::string origin() const;
  bool empty() const { return by_.empty() && names_.empty(); }

 private:
  struct Listed {
    int64_t key;
    uint32_t name;  // place in names_
  };
  std::string by_;                  // the rule; empty: none
  std::vector<std::string> names_;  // of the lists
  std::vector<Listed> listed_;      // by key
};

}  // namespace inkstream::ingest
