// A store in memory, for tests of what reads stores.
//
// Drawing i is one horizontal line whose row depends on i, with made-up
// columns; which of them are missing follows from i as documented at each.
//
// Thread safety: immutable but for the damage set before it is shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/store/store_reader.h"

namespace inkstream::testing {

class FakeStore : public store::StoreReader {
 public:
  // `classes` words class0, class1, ...; drawing i is of class i % (classes +
  // 1), the last of which means no word.
  explicit FakeStore(uint64_t drawings, int classes = 3);

  // Reading this drawing fails with DATA_LOSS.
  void Damage(uint64_t index) { damaged_.insert(index); }
  // From now on drawings are MakeSketch's.
  void DrawSketches() { sketches_ = true; }
  // From this one on, drawings are lines of so many points.
  void Lengthen(uint64_t first, uint32_t points) {
    long_from_ = first;
    long_points_ = points;
  }
  // Each read takes this long.
  void SlowDown(int micros) { read_micros_ = micros; }
  // Called by the thread that reads, before each read.
  void OnRead(std::function<void(uint64_t index)> on_read) {
    on_read_ = std::move(on_read);
  }
  void SetPath(std::string path) { path_ = std::move(path); }
  void SetFingerprint(std::string fingerprint) {
    info_.fingerprint = std::move(fingerprint);
  }

  const store::StoreInfo& info() const override { return info_; }
  const std::string& path() const override { return path_; }
  std::unique_ptr<store::DrawingReader> NewDrawingReader() const override;
  int32_t Label(uint64_t index) const override;
  int64_t KeyId(uint64_t index) const override;  // 1000 + i; none for i % 7 = 6
  int64_t TimestampMicros(uint64_t index) const override;  // none for i % 5 = 4
  int32_t Recognized(uint64_t index) const override;       // i % 3 - 1
  int32_t Countrycode(uint64_t index) const override;      // i % 4 - 1
  const std::vector<std::string>& countrycodes() const override {
    return countrycodes_;
  }
  uint64_t SplitHash(uint64_t index) const override;
  absl::StatusOr<uint64_t> FindKey(int64_t key_id) const override;
  void WillNeed(absl::Span<const uint64_t> indices) const override;

  uint64_t will_need_calls() const { return will_need_calls_; }
  uint64_t reads() const { return reads_; }

  // What a reader gives for drawing `index`.
  static Drawing MakeDrawing(uint64_t index);
  // Several strokes of 1 to 12 points; every index differs.
  static Drawing MakeSketch(uint64_t index);

 private:
  friend class FakeReader;

  store::StoreInfo info_;
  std::string path_ = "/fake/store.ink";
  std::vector<std::string> countrycodes_ = {"DE", "FR", "JP"};
  std::set<uint64_t> damaged_;
  bool sketches_ = false;
  uint64_t long_from_ = 0;
  uint32_t long_points_ = 0;  // 0: none is
  int read_micros_ = 0;
  std::function<void(uint64_t)> on_read_;
  mutable std::atomic<uint64_t> will_need_calls_{0};
  mutable std::atomic<uint64_t> reads_{0};
};

}  // namespace inkstream::testing
