// Drawings on their way into a store: their canonical bytes (fingerprint.h) one
// after another. Nothing is allocated a drawing, and the hash is taken of the
// very bytes.
//
// Thread safety: plain value; concurrent reads are safe. Views borrow it until
// it is changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "inkstream/drawing.h"
#include "server/store/strokes/byte_strokes.h"

namespace inkstream::store {

// A drawing as a reader of a foreign format finds it. All of it is borrowed.
struct FoundDrawing {
  ByteStrokes strokes;
  absl::string_view word;         // empty: absent
  absl::string_view countrycode;  // empty: absent
  std::optional<Timestamp> timestamp;
  std::optional<bool> recognized;
  std::optional<int64_t> key_id;
};

// One of PackedDrawings.
struct PackedDrawing {
  absl::string_view canonical;
  bool raw = false;  // then x and y are null: Unpack gives its strokes
  uint32_t strokes = 0;
  uint32_t points = 0;
  const char* stroke_ends = nullptr;  // [strokes] u32 at any address
  const uint8_t* x = nullptr;         // [points]
  const uint8_t* y = nullptr;         // [points]
  std::optional<absl::string_view> word;
  std::optional<absl::string_view> countrycode;
  std::optional<Timestamp> timestamp;
  std::optional<bool> recognized;
  std::optional<int64_t> key_id;
};

class PackedDrawings {
 public:
  PackedDrawings() = default;
  // REQUIRES: as Add.
  explicit PackedDrawings(absl::Span<const Drawing> drawings) {
    for (const Drawing& drawing : drawings) Add(drawing);
  }

  // REQUIRES: the drawing passed, or would pass, ValidateDrawing of
  // drawing_rules.h.
  void Add(const Drawing& drawing);
  void Add(const FoundDrawing& drawing);
  // The i-th of another, with its split.
  void Add(const PackedDrawings& from, size_t i);
  void Reserve(size_t drawings, size_t bytes);

  size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  size_t bytes() const { return bytes_.size(); }  // of all
  absl::string_view canonical(size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return absl::string_view(bytes_).substr(begin, ends_[i] - begin);
  }
  uint32_t points(size_t i) const { return points_[i]; }
  PackedDrawing operator[](size_t i) const;

  // The split that a drawing was put into by name; null: none.
  const std::string* split(size_t i) const {
    return split_of_.empty() || split_of_[i] == 0 ? nullptr
                                                  : &splits_[split_of_[i] - 1];
  }
  void SetSplit(size_t i, absl::string_view name);

  void Unpack(size_t i, Drawing* drawing) const;
  std::vector<Drawing> Unpack() const;

  bool operator==(const PackedDrawings& other) const;

 private:
  void Close(uint32_t points) {
    ends_.push_back(static_cast<uint32_t>(bytes_.size()));
    points_.push_back(points);
    if (!split_of_.empty()) split_of_.push_back(0);
  }

  std::string bytes_;
  std::vector<uint32_t> ends_;    // of each drawing in bytes_
  std::vector<uint32_t> points_;  // of each drawing
  // Empty unless a drawing has a split; then 1 + its place in splits_, or 0.
  std::vector<uint32_t> split_of_;
  std::vector<std::string> splits_;
};

}  // namespace inkstream::store
