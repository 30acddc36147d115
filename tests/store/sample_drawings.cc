#include "tests/store/sample_drawings.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "server/store/drawing_rules.h"

namespace inkstream::store {
namespace {

// SplitMix64, so that the series is the same everywhere.
class Numbers {
 public:
  explicit Numbers(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  int Below(int bound) {
    return static_cast<int>(Next() % static_cast<uint64_t>(bound));
  }

 private:
  uint64_t state_;
};

}  // namespace

Drawing SampleDrawing(uint64_t i) {
  Numbers numbers(i);
  Drawing drawing;
  const int strokes = 1 + numbers.Below(6);
  for (int s = 0; s < strokes; ++s) {
    int x = numbers.Below(256);
    int y = numbers.Below(256);
    const int points = 2 + numbers.Below(12);
    for (int p = 0; p < points; ++p) {
      drawing.x.push_back(static_cast<float>(x));
      drawing.y.push_back(static_cast<float>(y));
      x = std::clamp(x + numbers.Below(31) - 15, 0, 255);
      y = std::clamp(y + numbers.Below(61) - 30, 0, 255);
    }
    drawing.stroke_ends.push_back(static_cast<uint32_t>(drawing.x.size()));
  }
  drawing.word = absl::StrCat("word ", i / 50 % 7);
  drawing.countrycode = i % 3 == 0 ? "US" : i % 3 == 1 ? "DE" : "BR";
  drawing.timestamp =
      Timestamp{1488000000000000 + static_cast<int64_t>(i) * 1234567890, 0};
  drawing.recognized = i % 11 != 0;
  drawing.key_id = static_cast<int64_t>(4503599627370496 + i * 1048576);
  return drawing;
}

std::vector<Drawing> SampleDrawings(uint64_t count) {
  std::vector<Drawing> drawings;
  for (uint64_t i = 0; i < count; ++i) drawings.push_back(SampleDrawing(i));
  return drawings;
}

Drawing OneStroke(std::vector<float> x, std::vector<float> y) {
  Drawing drawing;
  drawing.stroke_ends = {static_cast<uint32_t>(x.size())};
  drawing.x = std::move(x);
  drawing.y = std::move(y);
  return drawing;
}

std::vector<Drawing> OddDrawings() {
  std::vector<Drawing> odd;
  odd.push_back(OneStroke({0}, {0}));
  odd.push_back(OneStroke({255}, {255}));
  odd.push_back(OneStroke({0, 255, 0, 255}, {255, 0, 255, 0}));
  odd.push_back(OneStroke({128, 128, 128}, {128, 128, 128}));
  Drawing large;
  Numbers numbers(1);
  for (int p = 0; p < 10000; ++p) {
    large.x.push_back(static_cast<float>(numbers.Below(256)));
    large.y.push_back(static_cast<float>(numbers.Below(256)));
  }
  large.stroke_ends = {10000};
  odd.push_back(large);
  // The most points, each a stroke of its own.
  Drawing dots;
  for (uint32_t p = 0; p < 65535; ++p) {
    dots.x.push_back(static_cast<float>(numbers.Below(256)));
    dots.y.push_back(static_cast<float>(numbers.Below(256)));
    dots.stroke_ends.push_back(p + 1);
  }
  odd.push_back(dots);
  for (int mask = 0; mask < 32; ++mask) {
    Drawing drawing = SampleDrawing(static_cast<uint64_t>(1000 + mask));
    if ((mask & 1) == 0) drawing.word.reset();
    if ((mask & 2) == 0) drawing.countrycode.reset();
    if ((mask & 4) == 0) drawing.timestamp.reset();
    if ((mask & 8) == 0) drawing.recognized.reset();
    if ((mask & 16) == 0) drawing.key_id.reset();
    odd.push_back(drawing);
  }
  for (const char* word :
       {"\xC3\xA9t\xC3\xA9", "\xE7\x8C\xAB", "\xF0\x9F\x90\x88", "hot_dog",
        "hot dog", "quote\"back\\slash", "a"}) {
    Drawing drawing = SampleDrawing(7);
    drawing.word = word;
    odd.push_back(drawing);
  }
  Drawing extreme = SampleDrawing(8);
  extreme.key_id = INT64_MAX;
  extreme.timestamp = Timestamp{-62135596800000000, 6};
  extreme.word = std::string(255, 'w');
  extreme.countrycode = std::string(16, 'c');
  odd.push_back(extreme);
  extreme.key_id = 1;
  extreme.timestamp = Timestamp{253402300799999999, 0};
  odd.push_back(extreme);
  for (const Drawing& drawing : odd) {
    EXPECT_TRUE(ValidateDrawing(drawing).ok()) << ValidateDrawing(drawing);
  }
  return odd;
}

std::string MustWrite(const std::string& path,
                      const std::vector<Drawing>& drawings,
                      const WriterOptions& options, size_t append) {
  auto writer = StoreWriter::Create(path, options);
  EXPECT_TRUE(writer.ok()) << writer.status();
  if (!writer.ok()) return "";
  for (size_t at = 0; at < drawings.size(); at += append) {
    const size_t end = std::min(drawings.size(), at + append);
    const absl::Status status =
        (*writer)->Append({drawings.begin() + static_cast<ptrdiff_t>(at),
                           drawings.begin() + static_cast<ptrdiff_t>(end)});
    EXPECT_TRUE(status.ok()) << status;
  }
  const auto fingerprint = (*writer)->Finish();
  EXPECT_TRUE(fingerprint.ok()) << fingerprint.status();
  return fingerprint.ok() ? *fingerprint : "";
}

std::shared_ptr<const StoreReader> MustOpen(const std::string& path) {
  auto store = StoreReader::Open(path);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *store : nullptr;
}

std::string Describe(const Drawing& drawing) {
  return absl::StrCat(
      drawing.stroke_ends.size(), " strokes, ", drawing.x.size(),
      " points, word ", drawing.word.value_or("-"), ", country ",
      drawing.countrycode.value_or("-"), ", key ", drawing.key_id.value_or(-1));
}

}  // namespace inkstream::store
