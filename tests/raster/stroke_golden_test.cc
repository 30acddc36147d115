// Stroke tensors of every kind whose bytes are on record: a change here changes
// what is trained on.

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/raster/tensor/stroke_tensor.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/golden_tensors.h"

namespace inkstream::raster {
namespace {

constexpr double kDatasetStd = 31.5;

std::map<std::string, StrokesSpec> Specs() {
  std::map<std::string, StrokesSpec> specs;
  const std::map<std::string, StrokeFormat> formats = {
      {"stroke3", StrokeFormat::kStroke3},
      {"stroke5", StrokeFormat::kStroke5},
      {"points", StrokeFormat::kPoints}};
  for (const auto& [name, format] : formats) {
    StrokesSpec spec;
    spec.format = format;
    spec.max_len = 64;
    specs[name] = spec;
    spec.start_token = true;
    spec.scale = StrokeScale::kDataset;
    spec.dtype = DType::kFloat16;
    specs[name + "_dataset_float16"] = spec;
    spec.scale = StrokeScale::kUnit;
    spec.dtype = DType::kFloat32;
    spec.resample = 7.5F;
    specs[name + "_resampled_unit"] = spec;
    spec.resample = 0;
    spec.prefix = 0.6F;
    spec.ragged = true;
    specs[name + "_prefix_ragged"] = spec;
    spec.prefix = 1;
    spec.too_long = TooLong::kDrop;
    spec.max_len = 20;
    specs[name + "_drop_ragged"] = spec;
  }
  return specs;
}

uint64_t HashOf(const StrokesSpec& spec) {
  StrokeTensor tensor = *StrokeTensor::Create(spec, kDatasetStd);
  uint64_t hash = testing::kFnvBasis;
  for (const auto& [name, drawing] : testing::GeneratedDrawings()) {
    const StrokeTensor::Extent extent = *tensor.Load(drawing.strokes());
    std::vector<uint8_t> bytes(spec.ragged ? extent.rows * tensor.row_bytes()
                                           : tensor.padded_bytes());
    if (spec.ragged) {
      tensor.WriteRagged(bytes.data());
    } else {
      tensor.WritePadded(bytes.data());
    }
    bytes.push_back(static_cast<uint8_t>(extent.length));
    hash = testing::Fnv1a(bytes, hash);
  }
  return hash;
}

TEST(StrokeGoldenTest, TensorsAreThoseOnRecord) {
  const std::map<std::string, uint64_t> recorded = {
#include "tests/golden/stroke_hashes.inc"
  };
  for (const auto& [name, spec] : Specs()) {
    const uint64_t hash = HashOf(spec);
    const auto found = recorded.find(name);
    EXPECT_TRUE(found != recorded.end() && found->second == hash)
        << "written: {\"" << name << "\", 0x" << std::hex << hash << "U},";
  }
  EXPECT_EQ(recorded.size(), Specs().size());
}

}  // namespace
}  // namespace inkstream::raster
