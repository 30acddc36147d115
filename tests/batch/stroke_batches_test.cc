// Stroke tensors in batches, against the stroke tensor of each drawing alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "server/batch/engine.h"
#include "server/raster/draw/rasterizer.h"
#include "server/raster/tensor/stroke_tensor.h"
#include "tests/support/batch_puller.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::batch {
namespace {

using testing::BatchPuller;
using testing::FakeStore;
using ::testing::HasSubstr;
using testing::HeapBufferPool;
using testing::TensorOf;

constexpr uint64_t kDrawings = 300;

const TensorInfo* Find(const FinishedBatch& batch, const std::string& name) {
  for (const TensorInfo& tensor : batch.tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

class StrokeBatchesTest : public ::testing::TestWithParam<StrokesSpec> {
 protected:
  StrokeBatchesTest() {
    EngineOptions options;
    options.workers = 3;
    options.batch_memory = 64U << 20U;
    engine_ = *Engine::Create(options);
    store_ = std::make_shared<FakeStore>(kDrawings);
    store_->DrawSketches();
    EXPECT_TRUE(engine_->AddDataset("fake", store_).ok());
  }

  static Plan PlanOf(const StrokesSpec& strokes) {
    Plan plan;
    plan.delivery.batch_size = 100;
    plan.delivery.strokes = strokes;
    return plan;
  }

  std::vector<FinishedBatch> Stream(const Plan& plan,
                                    TakeResult* last = nullptr) {
    auto stream = engine_->OpenStream(plan, engine_->Arbitrate(pool_));
    EXPECT_TRUE(stream.ok()) << stream.status();
    return BatchPuller(*std::move(stream)).All(last);
  }

  // What one drawing's strokes are, padded or not, and their length.
  static std::string Alone(const StrokesSpec& spec, uint64_t index,
                           int64_t* length, bool* dropped) {
    auto tensor = *raster::StrokeTensor::Create(spec, 0);
    const auto extent = *tensor.Load(FakeStore::MakeSketch(index).strokes());
    *length = extent.length;
    *dropped = extent.dropped;
    std::string bytes(
        spec.ragged ? extent.rows * tensor.row_bytes() : tensor.padded_bytes(),
        '\7');
    auto* const out = reinterpret_cast<uint8_t*>(bytes.data());
    spec.ragged ? tensor.WriteRagged(out) : tensor.WritePadded(out);
    return bytes;
  }

  const std::shared_ptr<HeapBufferPool> pool_ =
      std::make_shared<HeapBufferPool>();
  std::shared_ptr<FakeStore> store_;
  std::unique_ptr<Engine> engine_;
};

TEST_P(StrokeBatchesTest, RowsAreTheStrokesOfTheDrawingsNamed) {
  const StrokesSpec& spec = GetParam();
  const std::vector<FinishedBatch> batches = Stream(PlanOf(spec));
  ASSERT_EQ(batches.size(), 3U);
  for (const FinishedBatch& batch : batches) {
    const auto index = TensorOf<int64_t>(batch, "index");
    const auto valid = TensorOf<uint8_t>(batch, "valid");
    std::string expected;
    std::vector<int64_t> lengths;
    for (uint64_t row = 0; row < 100; ++row) {
      bool dropped = false;
      expected += Alone(spec, index[row], &lengths.emplace_back(), &dropped);
      EXPECT_EQ(valid[row], dropped ? 0 : 1);
    }
    const auto found = TensorOf<uint8_t>(batch, "strokes");
    EXPECT_TRUE(std::string(found.begin(), found.end()) == expected);
    EXPECT_EQ(TensorOf<int64_t>(batch, "length"), lengths);
    EXPECT_EQ(Find(batch, "strokes")->dtype, spec.dtype);
  }
}

TEST_P(StrokeBatchesTest, OffsetsAndShapesCountWhatIsThere) {
  const StrokesSpec& spec = GetParam();
  const int64_t columns = spec.format == StrokeFormat::kStroke5 ? 5 : 3;
  const int64_t start =
      spec.start_token.value_or(spec.format == StrokeFormat::kStroke5) ? 1 : 0;
  for (const FinishedBatch& batch : Stream(PlanOf(spec))) {
    const auto lengths = TensorOf<int64_t>(batch, "length");
    const TensorInfo& strokes = *Find(batch, "strokes");
    if (!spec.ragged) {
      EXPECT_EQ(strokes.shape,
                (std::vector<int64_t>{100, spec.max_len + start, columns}));
      EXPECT_EQ(Find(batch, "offsets"), nullptr);
      continue;
    }
    std::vector<int64_t> offsets = {0};
    for (const int64_t length : lengths) {
      offsets.push_back(offsets.back() + length + start);
    }
    EXPECT_EQ(TensorOf<int64_t>(batch, "offsets"), offsets);
    EXPECT_EQ(strokes.shape, (std::vector<int64_t>{offsets.back(), columns}));
    const uint64_t end = strokes.offset + strokes.length;
    EXPECT_EQ(batch.byte_size, (end + 63) / 64 * 64);
    for (uint64_t byte = end; byte < batch.byte_size; ++byte) {
      EXPECT_EQ(batch.buffer->data()[byte], 0);
    }
  }
}

StrokesSpec Spec(StrokeFormat format, uint32_t max_len, bool ragged,
                 TooLong too_long = TooLong::kTruncate) {
  StrokesSpec spec;
  spec.format = format;
  spec.max_len = max_len;
  spec.ragged = ragged;
  spec.too_long = too_long;
  return spec;
}

StrokesSpec Half(StrokesSpec spec) {
  spec.dtype = DType::kFloat16;
  spec.start_token = true;
  return spec;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, StrokeBatchesTest,
    ::testing::Values(Spec(StrokeFormat::kStroke3, 60, false),
                      Spec(StrokeFormat::kStroke5, 60, false),
                      Spec(StrokeFormat::kPoints, 20, false),
                      Half(Spec(StrokeFormat::kStroke3, 20, false,
                                TooLong::kDrop)),
                      Spec(StrokeFormat::kStroke3, 60, true),
                      Spec(StrokeFormat::kStroke5, 20, true),
                      Half(Spec(StrokeFormat::kPoints, 60, true)),
                      Spec(StrokeFormat::kStroke3, 20, true, TooLong::kDrop)));

class StrokeBatchTest : public StrokeBatchesTest {};

TEST_F(StrokeBatchTest, NoValuesAtAllAreAnEmptyTensor) {
  uint64_t index = 0;
  while (FakeStore::MakeSketch(index).x.size() == 1) ++index;
  FetchPlan plan;
  plan.indices = {index, index};
  plan.delivery.strokes = Spec(StrokeFormat::kStroke3, 1, true, TooLong::kDrop);
  std::promise<absl::StatusOr<FetchedBatch>> answer;
  engine_->Fetch(plan, engine_->Arbitrate(pool_), {},
                 [&](absl::StatusOr<FetchedBatch> batch) {
                   answer.set_value(std::move(batch));
                 });
  const absl::StatusOr<FetchedBatch> batch = answer.get_future().get();
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(TensorOf<int64_t>(batch->batch, "offsets"),
            (std::vector<int64_t>{0, 0, 0}));
  EXPECT_EQ(TensorOf<uint8_t>(batch->batch, "valid"),
            (std::vector<uint8_t>{0, 0}));
  EXPECT_EQ(Find(batch->batch, "strokes")->shape, (std::vector<int64_t>{0, 3}));
}

TEST_F(StrokeBatchTest, ImageAndStrokesAreOfTheSameDrawing) {
  Plan plan = PlanOf(Spec(StrokeFormat::kPoints, 60, true));
  plan.delivery.image = ImageSpec{16, 16};
  auto rasterizer = *raster::Rasterizer::Create(*plan.delivery.image);
  const std::vector<FinishedBatch> batches = Stream(plan);
  ASSERT_EQ(batches.size(), 3U);
  for (const FinishedBatch& batch : batches) {
    const auto pixels = TensorOf<uint8_t>(batch, "image");
    const auto values = TensorOf<float>(batch, "strokes");
    const auto offsets = TensorOf<int64_t>(batch, "offsets");
    for (size_t row = 0; row < 100; ++row) {
      Drawing drawing;
      for (int64_t i = offsets[row]; i < offsets[row + 1]; ++i) {
        drawing.x.push_back(values[i * 3]);
        drawing.y.push_back(values[i * 3 + 1]);
        if (values[i * 3 + 2] == 1) {
          drawing.stroke_ends.push_back(
              static_cast<uint32_t>(drawing.x.size()));
        }
      }
      std::vector<uint8_t> expected(256);
      rasterizer->Draw(drawing.strokes(), expected.data());
      ASSERT_EQ(std::memcmp(expected.data(), pixels.data() + row * 256, 256),
                0);
    }
  }
}

TEST_F(StrokeBatchTest, ADrawingThatIsTooLongEndsTheStreamByName) {
  TakeResult last = NotReady{};
  Stream(PlanOf(Spec(StrokeFormat::kStroke3, 20, false, TooLong::kError)),
         &last);
  ASSERT_TRUE(std::holds_alternative<absl::Status>(last));
  const absl::Status& status = std::get<absl::Status>(last);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(HasSubstr("delivery.strokes: drawing "),
                               HasSubstr("strokes.max_len is 20")));
}

TEST_F(StrokeBatchTest, ADatasetWithoutADeviationIsNotScaledByOne) {
  Plan plan = PlanOf(Spec(StrokeFormat::kStroke3, 20, false));
  plan.delivery.strokes->scale = StrokeScale::kDataset;
  const absl::Status status =
      engine_->OpenStream(plan, engine_->Arbitrate(pool_)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("delivery.strokes.scale is \"dataset\""));
}

}  // namespace
}  // namespace inkstream::batch
