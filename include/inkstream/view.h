// A subset of a dataset, as a request names it. The server resolves and
// validates; proto/README.md says what each term means exactly.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace inkstream {

// Numbered as in inkstream.v1; never renumber.
enum class WhereOp : uint8_t {
  kEq = 1,
  kNe = 2,
  kLt = 3,
  kLe = 4,
  kGt = 5,
  kGe = 6,
  kIn = 7,
  kNotIn = 8,
};

// One term of a filter, "recognized == 1". A drawing without a value in the
// column satisfies no term on it.
struct WhereTerm {
  std::string column;
  WhereOp op = WhereOp::kEq;
  std::vector<std::string> values;  // one, or any number for kIn and kNotIn

  bool operator==(const WhereTerm&) const = default;
};

// A slice of the view in hash order, one of `count` equal ones.
struct Fold {
  uint32_t index = 0;
  uint32_t count = 0;     // 2..1000
  bool held_out = false;  // true: that slice; false: all but it

  bool operator==(const Fold&) const = default;
};

// Empty fields select everything; what is given must hold together.
struct View {
  std::string split;  // empty: every drawing; also "train[:10%]"
  std::vector<std::string> classes = {};  // label ids follow this order
  std::vector<WhereTerm> where = {};      // joined by AND
  uint64_t max_per_class = 0;             // drawings; 0: no bound
  double fraction = 1;                    // (0, 1]
  std::string include_keys = {};          // hash of an uploaded key set
  std::string exclude_keys = {};          // likewise
  std::optional<Fold> fold = std::nullopt;

  bool operator==(const View&) const = default;
};

}  // namespace inkstream
