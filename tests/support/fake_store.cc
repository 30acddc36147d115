#include "tests/support/fake_store.h"

#include <chrono>
#include <limits>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"

namespace inkstream::testing {
namespace {

constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();

// SplitMix64's finaliser.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

}  // namespace

class FakeReader : public store::DrawingReader {
 public:
  explicit FakeReader(std::shared_ptr<const FakeStore> store)
      : store_(std::move(store)) {}

  // What is slow is the disk, which finding waits for.
  void Find(absl::Span<const int64_t> indices) override {
    Wait(indices.size());
    DrawingReader::Find(indices);
  }
  absl::StatusOr<StrokesView> ReadFound(size_t i) override {
    found_ = true;
    absl::StatusOr<StrokesView> strokes = DrawingReader::ReadFound(i);
    found_ = false;
    return strokes;
  }

  absl::StatusOr<StrokesView> ReadStrokes(uint64_t index) override {
    absl::Status status = ReadDrawing(index, &drawing_);
    if (!status.ok()) return status;
    return drawing_.strokes();
  }

  absl::Status ReadDrawing(uint64_t index, Drawing* drawing) override {
    if (store_->on_read_) store_->on_read_(index);
    ++store_->reads_;
    if (!found_) Wait(1);
    if (store_->damaged_.contains(index)) {
      return absl::DataLossError(absl::StrCat("drawing ", index, " of ",
                                              store_->path(),
                                              ": checksum does not match"));
    }
    *drawing = store_->sketches_ ? FakeStore::MakeSketch(index)
                                 : FakeStore::MakeDrawing(index);
    if (store_->long_points_ > 0 && index >= store_->long_from_) {
      drawing->x.resize(store_->long_points_, drawing->x.back());
      drawing->y.resize(store_->long_points_, drawing->y.back());
      drawing->stroke_ends.back() = store_->long_points_;
    }
    const int32_t label = store_->Label(index);
    if (label >= 0) drawing->word = store_->info().classes[label];
    const int32_t country = store_->Countrycode(index);
    if (country >= 0) drawing->countrycode = store_->countrycodes()[country];
    const int64_t micros = store_->TimestampMicros(index);
    if (micros >= 0) drawing->timestamp = Timestamp{micros, 0};
    const int32_t recognized = store_->Recognized(index);
    if (recognized >= 0) drawing->recognized = recognized == 1;
    const int64_t key = store_->KeyId(index);
    if (key >= 0) drawing->key_id = key;
    return absl::OkStatus();
  }

 private:
  void Wait(size_t reads) const {
    if (store_->read_micros_ == 0) return;
    std::this_thread::sleep_for(std::chrono::microseconds(
        store_->read_micros_ * static_cast<int64_t>(reads)));
  }

  const std::shared_ptr<const FakeStore> store_;
  Drawing drawing_;
  bool found_ = false;  // the drawing that is read now
};

FakeStore::FakeStore(uint64_t drawings, int classes) {
  info_.name = "fake";
  info_.fingerprint = std::string(64, 'f');
  info_.generation = 1;
  info_.drawings = drawings;
  for (int i = 0; i < classes; ++i) {
    info_.classes.push_back(absl::StrCat("class", i));
  }
  info_.class_counts.resize(classes);
  info_.splits = {{"train", "hash:test:[0,0.75)", 0, kAll / 4 * 3},
                  {"valid", "hash:test:[0.75,1)", kAll / 4 * 3, kAll}};
  for (uint64_t i = 0; i < drawings; ++i) {
    const int32_t label = Label(i);
    if (label >= 0) {
      ++info_.class_counts[label];
    } else {
      ++info_.unlabelled;
    }
    ++info_.splits[SplitHash(i) < kAll / 4 * 3 ? 0 : 1].drawings;
    if (Countrycode(i) >= 0) ++info_.with_countrycode;
    if (TimestampMicros(i) >= 0) ++info_.with_timestamp;
    if (Recognized(i) >= 0) ++info_.with_recognized;
    if (KeyId(i) >= 0) ++info_.with_key_id;
  }
}

std::unique_ptr<store::DrawingReader> FakeStore::NewDrawingReader() const {
  return std::make_unique<FakeReader>(
      std::static_pointer_cast<const FakeStore>(shared_from_this()));
}

int32_t FakeStore::Label(uint64_t index) const {
  const uint64_t classes = info_.classes.size();
  const uint64_t place = index % (classes + 1);
  return place == classes ? -1 : static_cast<int32_t>(place);
}

int64_t FakeStore::KeyId(uint64_t index) const {
  return index % 7 == 6 ? -1 : static_cast<int64_t>(1000 + index);
}

int64_t FakeStore::TimestampMicros(uint64_t index) const {
  if (index % 5 == 4) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(1'489'000'000'000'000 + index);
}

int32_t FakeStore::Recognized(uint64_t index) const {
  return static_cast<int32_t>(index % 3) - 1;
}

int32_t FakeStore::Countrycode(uint64_t index) const {
  return static_cast<int32_t>(index % 4) - 1;
}

uint64_t FakeStore::SplitHash(uint64_t index) const { return Mix(index + 1); }

absl::StatusOr<uint64_t> FakeStore::FindKey(int64_t key_id) const {
  for (uint64_t i = 0; i < size(); ++i) {
    if (KeyId(i) == key_id && key_id > 0) return i;
  }
  return absl::NotFoundError(absl::StrCat("no drawing has the key ", key_id));
}

void FakeStore::WillNeed(absl::Span<const uint64_t> /*indices*/) const {
  ++will_need_calls_;
}

Drawing FakeStore::MakeDrawing(uint64_t index) {
  Drawing drawing;
  const float row = static_cast<float>(index % 256);
  drawing.x = {0.0F, static_cast<float>(index / 256 % 256)};
  drawing.y = {row, row};
  drawing.stroke_ends = {2};
  return drawing;
}

Drawing FakeStore::MakeSketch(uint64_t index) {
  std::mt19937_64 random(index + 1);
  Drawing drawing;
  const uint64_t strokes = 1 + random() % 5;
  for (uint64_t s = 0; s < strokes; ++s) {
    const uint64_t points = 1 + random() % 12;
    for (uint64_t i = 0; i < points; ++i) {
      drawing.x.push_back(static_cast<float>(random() % 256));
      drawing.y.push_back(static_cast<float>(random() % 256));
    }
    drawing.stroke_ends.push_back(static_cast<uint32_t>(drawing.x.size()));
  }
  return drawing;
}

}  // namespace inkstream::testing
