// A vector drawing in memory: what every room passes on.
//
// Thread safety: plain values; concurrent reads are safe, a write needs
// exclusive access. A StrokesView borrows: it is valid as long as the Drawing
// (or decoder scratch) that it was made from is neither changed nor destroyed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace inkstream {

// Points of all strokes of one drawing, one after another, in drawing order.
// Units: x, y in the dataset's canvas (0..255, y grows downwards; whole numbers
// but for raw drawings); t in milliseconds since the first point, empty where
// the source has no times.
struct StrokesView {
  absl::Span<const uint32_t> stroke_ends;  // [strokes], exclusive, ascending
  absl::Span<const float> x;               // [points]
  absl::Span<const float> y;               // [points]
  absl::Span<const float> t;               // [points] or empty

  size_t strokes() const { return stroke_ends.size(); }
  size_t points() const { return x.size(); }
  // Index of the first point of stroke `s`.
  size_t begin(size_t s) const { return s == 0 ? 0 : stroke_ends[s - 1]; }
  size_t end(size_t s) const { return stroke_ends[s]; }
};

// An instant as the source wrote it.
struct Timestamp {
  int64_t micros = 0;  // since 1970-01-01 00:00:00 UTC
  // Zeros written at the end of the fraction. Google's files write none; a
  // file that does is given back as it was.
  uint8_t trailing_zeros = 0;

  bool operator==(const Timestamp&) const = default;
};

// The points of a raw drawing, bit for bit as its source has them; the strokes
// end where those of its drawing do.
struct RawStrokes {
  std::vector<double> x;  // [points], pixels of the screen it was drawn on
  std::vector<double> y;  // [points]
  std::vector<double> t;  // [points], milliseconds; may start anywhere and fall

  bool empty() const { return x.empty(); }
  void Clear() {
    x.clear();
    y.clear();
    t.clear();
  }
  bool operator==(const RawStrokes&) const = default;
};

// One drawing with its metadata. An absent field was absent in the source.
struct Drawing {
  std::vector<uint32_t> stroke_ends;
  std::vector<float> x;
  std::vector<float> y;
  std::vector<float> t;
  // Empty unless the drawing is a raw one that is kept as such: then x, y and t
  // are made from it.
  RawStrokes raw;

  std::optional<std::string> word;         // UTF-8, no control characters
  std::optional<std::string> countrycode;  // UTF-8, two letters in practice
  std::optional<Timestamp> timestamp;
  std::optional<bool> recognized;
  std::optional<int64_t> key_id;  // 1..2^63-1
  // The split that the source, or a rule of the ingest, put it in; absent: a
  // hash decides. Not part of what a drawing is: fingerprints leave it out.
  std::optional<std::string> split;

  StrokesView strokes() const { return {stroke_ends, x, y, t}; }

  // Empties every field and keeps the capacity, so that a reader can reuse one
  // Drawing for a whole file without allocating.
  void Clear() {
    stroke_ends.clear();
    x.clear();
    y.clear();
    t.clear();
    raw.Clear();
    word.reset();
    countrycode.reset();
    timestamp.reset();
    recognized.reset();
    key_id.reset();
    split.reset();
  }

  bool operator==(const Drawing&) const = default;
};

}  // namespace inkstream
