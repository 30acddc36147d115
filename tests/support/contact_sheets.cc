// contact_sheets FOLDER: PNG files of generated drawings in every tensor kind,
// for a person to look at.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "server/raster/draw/rasterizer.h"
#include "server/raster/tensor/stroke_tensor.h"
#include "tests/support/augmented_sheets.h"
#include "tests/support/contact_sheet.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/golden_tensors.h"

namespace inkstream::testing {
namespace {

std::vector<Drawing> Drawings() {
  std::vector<Drawing> drawings;
  for (const auto &[name, drawing] : GeneratedDrawings()) {
    drawings.push_back(WithTimes(drawing));
  }
  return drawings;
}

ImageSpec Square(uint32_t side) {
  ImageSpec spec;
  spec.height = spec.width = side;
  return spec;
}

std::vector<uint8_t> Draw(const ImageSpec &spec, const StrokesView &strokes,
                          const raster::DrawOptions &options = {}) {
  auto rasterizer = raster::Rasterizer::Create(spec, 1024, true);
  if (!rasterizer.ok()) {
    return std::vector<uint8_t>(spec.channels.size() * spec.height * spec.width,
                                128);
  }
  std::vector<uint8_t> image((*rasterizer)->image_bytes());
  (*rasterizer)->Draw(strokes, options, image.data());
  return image;
}

ContactSheet Sizes() {
  ContactSheet sheet({"28 fast", "28 exact", "64 fast", "64 exact", "128 fast",
                      "128 exact", "128 hairline", "off by (x8)"},
                     140);
  for (const Drawing &drawing : Drawings()) {
    std::vector<uint8_t> fast;
    std::vector<uint8_t> exact;
    for (const uint32_t side : {28U, 64U, 128U}) {
      ImageSpec spec = Square(side);
      fast = Draw(spec, drawing.strokes());
      spec.quality = Quality::kExact;
      exact = Draw(spec, drawing.strokes());
      sheet.Add(fast, side, side);
      sheet.Add(exact, side, side);
    }
    ImageSpec hairline = Square(128);
    hairline.line_width = 1.0F;
    sheet.Add(Draw(hairline, drawing.strokes()), 128, 128);
    for (size_t i = 0; i < fast.size(); ++i) {
      fast[i] = static_cast<uint8_t>(
          std::min(255, 8 * std::abs(int{fast[i]} - int{exact[i]})));
    }
    sheet.Add(fast, 128, 128);
  }
  return sheet;
}

ContactSheet Channels() {
  ImageSpec spec = Square(96);
  spec.channels = {"ink",   "order",     "time",    "pause",
                   "speed", "direction", "constant"};
  ContactSheet sheet(spec.channels, 140);
  for (const Drawing &drawing : Drawings()) {
    const std::vector<uint8_t> image = Draw(spec, drawing.strokes());
    for (size_t c = 0; c < spec.channels.size(); ++c) {
      const auto plane = image.begin() + static_cast<std::ptrdiff_t>(c) * 9216;
      sheet.Add({plane, plane + 9216}, 96, 96);
    }
  }
  return sheet;
}

// Floats and interleaved layouts, brought back to bytes: all columns look the
// same.
ContactSheet Types() {
  ContactSheet sheet({"uint8", "float32", "float16", "bfloat16", "NHWC order"},
                     140);
  for (const Drawing &drawing : Drawings()) {
    ImageSpec spec = Square(56);
    sheet.Add(Draw(spec, drawing.strokes()), 56, 56);
    for (const DType dtype :
         {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
      spec.dtype = dtype;
      spec.mean = {0.5F};
      spec.std = {0.5F};
      const std::vector<uint8_t> bytes = Draw(spec, drawing.strokes());
      std::vector<uint8_t> grey;
      const size_t width = SizeOf(dtype);
      for (size_t i = 0; i < bytes.size(); i += width) {
        float value = 0;
        uint32_t bits = 0;
        std::memcpy(&bits, &bytes[i], width);
        if (dtype == DType::kBFloat16) bits <<= 16U;
        if (dtype == DType::kFloat16) {
          // Values here are zero or normal.
          const uint32_t magnitude = bits & 0x7FFFU;
          bits = magnitude == 0 ? 0
                                : (bits & 0x8000U) << 16U |
                                      ((magnitude << 13U) + (112U << 23U));
        }
        std::memcpy(&value, &bits, sizeof(value));
        grey.push_back(
            static_cast<uint8_t>((value * 0.5F + 0.5F) * 255 + 0.5F));
      }
      sheet.Add(grey, 56, 56);
    }
    spec = Square(56);
    spec.layout = Layout::kNhwc;
    spec.channels = {"direction", "order"};
    const std::vector<uint8_t> pairs = Draw(spec, drawing.strokes());
    std::vector<uint8_t> order;
    for (size_t i = 1; i < pairs.size(); i += 2) order.push_back(pairs[i]);
    sheet.Add(order, 56, 56);
  }
  return sheet;
}

ContactSheet Fits() {
  ContactSheet sheet({"canvas 96x144", "box", "stretch", "padding 64",
                      "line 48", "line x 0.25", "moved 60 right", "12x96"},
                     140);
  for (const Drawing &drawing : Drawings()) {
    ImageSpec spec;
    spec.height = 96;
    spec.width = 144;
    for (const Fit fit : {Fit::kCanvas, Fit::kBox, Fit::kStretch}) {
      spec.fit = fit;
      sheet.Add(Draw(spec, drawing.strokes()), 96, 144);
    }
    spec = Square(96);
    spec.padding = 64.0F;
    sheet.Add(Draw(spec, drawing.strokes()), 96, 96);
    spec = Square(96);
    spec.line_width = 48.0F;
    sheet.Add(Draw(spec, drawing.strokes()), 96, 96);
    raster::DrawOptions options;
    options.line_width_factor = 0.25F;
    sheet.Add(Draw(Square(96), drawing.strokes(), options), 96, 96);
    options = {};
    options.bounds = raster::BoundsOf(drawing.strokes());
    options.bounds->max_x -= 120.0F;
    sheet.Add(Draw(Square(96), drawing.strokes(), options), 96, 96);
    spec = Square(96);
    spec.height = 12;
    sheet.Add(Draw(spec, drawing.strokes()), 12, 96);
  }
  return sheet;
}

// Stroke tensors drawn again from their own numbers.
ContactSheet StrokeTensors() {
  ContactSheet sheet(
      {"drawing", "stroke3", "stroke5", "points", "resample 8", "prefix 0.5"},
      140);
  std::vector<StrokesSpec> specs(5);
  specs[0].format = specs[3].format = specs[4].format = StrokeFormat::kStroke3;
  specs[2].format = StrokeFormat::kPoints;
  specs[3].resample = 8;
  specs[4].prefix = 0.5F;
  for (const Drawing &drawing : Drawings()) {
    const ImageSpec square = Square(96);
    raster::DrawOptions options;
    options.bounds = raster::BoundsOf(drawing.strokes());
    sheet.Add(Draw(square, drawing.strokes()), 96, 96);
    for (StrokesSpec &spec : specs) {
      spec.max_len = 4096;
      spec.start_token = false;
      auto tensor = raster::StrokeTensor::Create(spec, 0);
      const auto extent = tensor->Load(drawing.strokes());
      if (!extent.ok()) {
        sheet.Add(std::vector<uint8_t>(9216, 128), 96, 96);
        continue;
      }
      std::vector<float> rows(size_t{extent->rows} * tensor->columns());
      tensor->WriteRagged(reinterpret_cast<uint8_t *>(rows.data()));
      Drawing again;
      float x = 0;
      float y = 0;
      for (size_t i = 0; i < rows.size(); i += tensor->columns()) {
        const bool absolute = spec.format == StrokeFormat::kPoints;
        x = absolute ? rows[i] : x + rows[i];
        y = absolute ? rows[i + 1] : y + rows[i + 1];
        again.x.push_back(x);
        again.y.push_back(y);
        const bool lifted = spec.format == StrokeFormat::kStroke5
                                ? rows[i + 3] != 0 || rows[i + 4] != 0
                                : rows[i + 2] != 0;
        if (lifted || i + tensor->columns() == rows.size()) {
          again.stroke_ends.push_back(static_cast<uint32_t>(again.x.size()));
        }
      }
      sheet.Add(Draw(square, again.strokes(), options), 96, 96);
    }
  }
  return sheet;
}

int WriteAll(const std::filesystem::path &folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::pair<const char *, ContactSheet (*)()> sheets[] = {
      {"sizes.png", Sizes},
      {"channels.png", Channels},
      {"types.png", Types},
      {"fits.png", Fits},
      {"augmented.png", AugmentedSheet},
      {"changes.png", ChangesSheet},
      {"stroke_tensors.png", StrokeTensors},
  };
  for (const auto &[name, make] : sheets) {
    const std::string path = (folder / name).string();
    if (!make().Write(path)) {
      std::fprintf(stderr, "contact_sheets: cannot write %s\n", path.c_str());
      return 1;
    }
    std::printf("%s\n", path.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace inkstream::testing

int main(int argc, char **argv) {
  if (argc != 2 || argv[1][0] == '-') {
    std::fprintf(stderr,
                 "Usage: contact_sheets FOLDER\nWrites PNG files of generated "
                 "drawings in every tensor kind, to look at.\n");
    return argc == 2 && std::strcmp(argv[1], "--help") == 0 ? 0 : 2;
  }
  return inkstream::testing::WriteAll(argv[1]);
}
