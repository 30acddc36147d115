#include "server/store/strokes/record_codec.h"

#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/store/segment/endian_io.h"
#include "tests/store/reference_encoder.h"
#include "tests/store/sample_drawings.h"

namespace inkstream::store {
namespace {

std::shared_ptr<const StrokeModel> SampleModel() {
  StrokeModelTrainer trainer;
  for (const Drawing& drawing : SampleDrawings(500))
    trainer.Add(ByteCopy(drawing).strokes);
  return trainer.Train();
}

// A record with the margins that the decoder asks for.
class Framed {
 public:
  explicit Framed(const std::string& record)
      : bytes_(std::string(kRecordMargin, '\xA5') + record +
               std::string(kRecordMargin, '\x5A')),
        size_(record.size()) {}
  absl::string_view record() const {
    return absl::string_view(bytes_).substr(kRecordMargin, size_);
  }

 private:
  std::string bytes_;
  size_t size_;
};

void ExpectRoundTrip(const StrokeModel& model, const Drawing& drawing) {
  std::string record;
  EncodeRecord(model, ByteCopy(drawing).strokes, &record);
  const Framed framed(record);
  RecordScratch scratch;
  const auto found = DecodeRecord(model, framed.record(), &scratch);
  ASSERT_TRUE(found.ok()) << found.status() << Describe(drawing);
  EXPECT_EQ(found->stroke_ends, absl::MakeConstSpan(drawing.stroke_ends));
  EXPECT_EQ(found->x, absl::MakeConstSpan(drawing.x));
  EXPECT_EQ(found->y, absl::MakeConstSpan(drawing.y));
}

TEST(RecordCodec, GivesBackWhatTheModelWasTrainedOn) {
  const auto model = SampleModel();
  for (const Drawing& drawing : SampleDrawings(500)) {
    ExpectRoundTrip(*model, drawing);
  }
}

TEST(RecordCodec, GivesBackWhatTheModelHasNeverSeen) {
  const auto model = SampleModel();
  const auto untrained = StrokeModelTrainer().Train();
  for (const Drawing& drawing : OddDrawings()) {
    ExpectRoundTrip(*model, drawing);
    ExpectRoundTrip(*untrained, drawing);
  }
}

TEST(RecordCodec, EveryDeltaAndLengthComesBack) {
  const auto model = SampleModel();
  for (int from = 0; from < 256; from += 5) {
    Drawing drawing;
    for (int to = 0; to < 256; ++to) {
      drawing.x.insert(drawing.x.end(),
                       {static_cast<float>(from), static_cast<float>(to)});
      drawing.y.insert(drawing.y.end(),
                       {static_cast<float>(to), static_cast<float>(from)});
    }
    drawing.stroke_ends = {static_cast<uint32_t>(1 + from), 512};
    ExpectRoundTrip(*model, drawing);
  }
}

TEST(RecordCodec, AShorterOrLongerRecordIsDamage) {
  const auto model = SampleModel();
  RecordScratch scratch;
  for (const Drawing& drawing : SampleDrawings(50)) {
    std::string record;
    EncodeRecord(*model, ByteCopy(drawing).strokes, &record);
    const Framed longer(record + "\xFF");
    const auto found = DecodeRecord(*model, longer.record(), &scratch);
    // The y deltas stand at the end, so one more byte shifts them all.
    if (found.ok()) {
      EXPECT_FALSE(found->y == absl::MakeConstSpan(drawing.y));
    }
  }
  const Framed nothing("");
  EXPECT_TRUE(absl::IsDataLoss(
      DecodeRecord(*model, nothing.record(), &scratch).status()));
}

TEST(RecordCodec, RandomBytesAreRefusedOrDecodedWithinBounds) {
  const auto model = SampleModel();
  std::mt19937_64 random(7);
  RecordScratch scratch;
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 300, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const Framed framed(bytes);
    const auto found = DecodeRecord(*model, framed.record(), &scratch);
    refused += !found.ok();
    if (!found.ok()) continue;
    ASSERT_EQ(found->stroke_ends.back(), found->points());
    for (const float x : found->x) ASSERT_TRUE(x >= 0 && x <= 255);
  }
  EXPECT_GT(refused, 15000);
}

TEST(StrokeModel, ComesBackFromItsStoredForm) {
  const auto model = SampleModel();
  const auto again = StrokeModel::Parse(model->Serialize());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->Serialize(), model->Serialize());
  for (const Drawing& drawing : SampleDrawings(20)) {
    std::string a, b;
    EncodeRecord(*model, ByteCopy(drawing).strokes, &a);
    EncodeRecord(**again, ByteCopy(drawing).strokes, &b);
    EXPECT_EQ(a, b);
  }
}

TEST(StrokeModel, RefusesCodesThatAreNotComplete) {
  const std::string good = SampleModel()->Serialize();
  for (size_t at = 0; at < good.size(); at += 97) {
    std::string bad = good;
    bad[at] = '\x00';
    if (bad == good) continue;
    const auto model = StrokeModel::Parse(bad);
    // A zero is a valid cluster, but never a code's length.
    const bool in_codes = at >= kXContexts + kYContexts;
    EXPECT_EQ(model.ok(), !in_codes) << at;
    bad[at] = '\xFF';
    EXPECT_FALSE(StrokeModel::Parse(bad).ok()) << at;
  }
  EXPECT_FALSE(StrokeModel::Parse(good + "x").ok());
  EXPECT_FALSE(StrokeModel::Parse("").ok());
}

TEST(StrokeModel, TrainingMakesRecordsSmaller) {
  const auto trained = SampleModel();
  const auto untrained = StrokeModelTrainer().Train();
  std::string small, large;
  for (uint64_t i = 5000; i < 5200; ++i) {
    const Drawing drawing = SampleDrawing(i);
    EncodeRecord(*trained, ByteCopy(drawing).strokes, &small);
    EncodeRecord(*untrained, ByteCopy(drawing).strokes, &large);
  }
  EXPECT_LT(small.size(), large.size());
}

TEST(EncodeRecordTest, TheFastWayGivesTheBytesOfTheSlowOne) {
  std::vector<Drawing> drawings = SampleDrawings(2000);
  StrokeModelTrainer trainer;
  for (const Drawing& drawing : drawings)
    trainer.Add(ByteCopy(drawing).strokes);
  for (Drawing& odd : OddDrawings()) drawings.push_back(std::move(odd));
  for (const auto& model : {trainer.Train(), StrokeModelTrainer().Train()}) {
    for (const Drawing& drawing : drawings) {
      std::string fast = "before";
      std::string slow = "before";
      EncodeRecord(*model, ByteCopy(drawing).strokes, &fast);
      ReferenceEncodeRecord(*model, ByteCopy(drawing).strokes, &slow);
      ASSERT_EQ(fast, slow) << Describe(drawing);
    }
  }
}

}  // namespace
}  // namespace inkstream::store
