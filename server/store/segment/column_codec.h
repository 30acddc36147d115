// The columns of one run of drawings: bit-packed at a constant width a column,
// so that any value is one load away, straight from the map; or, where equal
// values stand together (words, in files sorted by word) and that is smaller,
// as stretches: where each begins, found by bisection, and its value.
//
// Thread safety: ColumnRunBuilder belongs to one thread; ColumnRun is a plain
// value that borrows the bytes it was parsed from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/store/format.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::store {

// The columns of one drawing, as they are stored.
using ColumnValues = std::array<std::optional<int64_t>, kColumnKinds>;

// The columns of several drawings, column by column.
struct ColumnBatch {
  std::array<std::vector<int64_t>, kColumnKinds> values;  // 0 where absent
  std::vector<uint8_t> present;  // [drawings], a bit a kind
  uint8_t any = 0;               // kinds that some drawing has

  explicit ColumnBatch(size_t drawings = 0) : present(drawings) {}
  size_t size() const { return present.size(); }
  void Set(size_t drawing, ColumnKind kind, int64_t value) {
    std::vector<int64_t>& column = values[static_cast<size_t>(kind)];
    if (column.empty()) column.resize(size());
    column[drawing] = value;
    const auto bit = static_cast<uint8_t>(1U << static_cast<unsigned>(kind));
    present[drawing] |= bit;
    any |= bit;
  }
  bool Has(size_t drawing, ColumnKind kind) const {
    return present[drawing] >> static_cast<unsigned>(kind) & 1;
  }
};
static_assert(kColumnKinds <= 8);

class ColumnRunBuilder {
 public:
  void Add(const ColumnValues& values);
  // Drawings begin .. end - 1 of a batch.
  void Add(const ColumnBatch& batch, size_t begin, size_t end);
  uint32_t size() const { return count_; }

  // The value to store under key `first`, checksum included; empties the
  // builder.
  std::string Build(uint32_t first);

 private:
  uint32_t count_ = 0;
  std::array<std::vector<int64_t>, kColumnKinds> values_;  // 0 where absent
  std::vector<uint8_t> present_;                           // a bit a kind
  std::vector<uint64_t> above_;
};

// One column of one run: value i is base + unit * packed[i].
struct ColumnView {
  const char* packed = nullptr;
  const char* presence = nullptr;  // one bit a drawing; null: all or none
  const char* starts = nullptr;    // u16 a stretch, ascending from 0, or null
  uint32_t stretches = 0;
  bool any = false;   // false: no drawing has it
  uint8_t width = 0;  // bits
  uint64_t base = 0;
  uint64_t unit = 0;

  bool Has(uint32_t i) const {
    if (presence == nullptr) return any;
    return (static_cast<uint8_t>(presence[i >> 3]) >> (i & 7)) & 1;
  }
  // The stretch that drawing i is in.
  uint32_t Stretch(uint32_t i) const {
    uint32_t low = 0;
    for (uint32_t size = stretches; size > 1;) {
      const uint32_t half = size / 2;
      if (LoadLittle<uint16_t>(starts + 2 * (low + half)) <= i) low += half;
      size -= half;
    }
    return low;
  }
  // The packed number. REQUIRES: any.
  uint64_t Packed(uint32_t i) const {
    if (width == 0) return 0;
    return Stored(starts == nullptr ? i : Stretch(i));
  }
  // The n-th number that is stored. REQUIRES: width > 0.
  uint64_t Stored(uint32_t n) const {
    const uint64_t bit = uint64_t{n} * width;
    const uint32_t shift = bit & 7;
    uint64_t value = LoadLittle<uint64_t>(packed + (bit >> 3)) >> shift;
    if (width + shift > 64) {
      const uint8_t next = static_cast<uint8_t>(packed[(bit >> 3) + 8]);
      value |= uint64_t{next} << (64 - shift);
    }
    return value & (~uint64_t{0} >> (64 - width));
  }
  // REQUIRES: Has(i).
  int64_t Value(uint32_t i) const {
    return static_cast<int64_t>(base + unit * Packed(i));
  }
  // The values of drawings [row, row + out.size()); `missing` where there is
  // none.
  void Read(uint32_t row, int64_t missing, absl::Span<int64_t> out) const;
};

struct ColumnRun {
  uint32_t first = 0;  // index in the segment
  uint32_t count = 0;
  std::array<ColumnView, kColumnKinds> columns;

  const ColumnView& column(ColumnKind kind) const {
    return columns[static_cast<size_t>(kind)];
  }
};

// Checks checksum, bounds and count, then nothing more is ever checked.
// DATA_LOSS otherwise. Column kinds of later releases are passed over.
absl::StatusOr<ColumnRun> ParseColumnRun(absl::string_view value);

}  // namespace inkstream::store
