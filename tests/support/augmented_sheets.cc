#include "tests/support/augmented_sheets.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/raster/augment/augmenter.h"
#include "server/raster/draw/rasterizer.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/golden_tensors.h"

namespace inkstream::testing {
namespace {

constexpr uint32_t kSide = 96;

// Draws the channel `channel` of drawings that have times.
class Drawer {
 public:
  explicit Drawer(const std::string &channel) {
    ImageSpec spec;
    spec.height = spec.width = kSide;
    spec.channels = {channel};
    rasterizer_ = *raster::Rasterizer::Create(spec, 1024, true);
  }

  void AddTo(ContactSheet *sheet, const StrokesView &strokes,
             const raster::DrawOptions &options = {}) {
    std::vector<uint8_t> image(rasterizer_->image_bytes());
    rasterizer_->Draw(strokes, options, image.data());
    sheet->Add(image, kSide, kSide);
  }

  void AddChanged(ContactSheet *sheet, const StrokesView &strokes,
                  const AugmentSpec &spec, const raster::AugmentKey &key) {
    raster::Augmenter augmenter(spec);
    raster::DrawOptions options;
    options.bounds = raster::BoundsOf(strokes);
    const StrokesView changed = augmenter.Apply(strokes, *options.bounds, key);
    options.line_width_factor = augmenter.line_width_factor();
    AddTo(sheet, changed, options);
  }

 private:
  std::unique_ptr<raster::Rasterizer> rasterizer_;
};

AugmentSpec Everything() {
  AugmentSpec spec;
  spec.rotation = {-20, 20};
  spec.scale = {0.8F, 1.1F};
  spec.shear = {-0.2F, 0.2F};
  spec.translate_x = spec.translate_y = {-20, 20};
  spec.flip_x = 0.5F;
  spec.stroke_dropout = 0.1F;
  spec.stroke_reorder = 0.5F;
  spec.point_dropout = 0.1F;
  spec.jitter = 1.5F;
  spec.line_width = {0.5F, 2.0F};
  return spec;
}

}  // namespace

ContactSheet AugmentedSheet() {
  ContactSheet sheet({"as it is", "view 0", "1", "2", "3", "4", "5", "6"}, 140);
  Drawer ink("ink");
  uint64_t index = 0;
  for (const auto &[name, generated] : GeneratedDrawings()) {
    const Drawing drawing = WithTimes(generated);
    ink.AddTo(&sheet, drawing.strokes());
    for (uint32_t view = 0; view < 7; ++view) {
      ink.AddChanged(&sheet, drawing.strokes(), Everything(),
                     {.seed = 1, .index = index, .view = view});
    }
    ++index;
  }
  return sheet;
}

ContactSheet ChangesSheet() {
  std::vector<std::pair<std::string, AugmentSpec>> changes(14);
  changes[0] = {"as it is", {}};
  changes[1] = {"rotation 30", {.rotation = {30, 30}}};
  changes[2] = {"scale 0.6", {.scale = {0.6F, 0.6F}}};
  changes[3] = {"scale_x 0.5", {.scale_x = {0.5F, 0.5F}}};
  changes[4] = {"scale_y 0.5", {.scale_y = {0.5F, 0.5F}}};
  changes[5] = {"shear 0.4", {.shear = {0.4F, 0.4F}}};
  changes[6] = {"move 40, -20",
                {.translate_x = {40, 40}, .translate_y = {-20, -20}}};
  changes[7] = {"flip_x", {.flip_x = 1}};
  changes[8] = {"flip_y", {.flip_y = 1}};
  changes[9] = {"strokes -50%", {.stroke_dropout = 0.5F}};
  changes[10] = {"points -50%", {.point_dropout = 0.5F}};
  changes[11] = {"jitter 6", {.jitter = 6}};
  changes[12] = {"line x 0.4", {.line_width = {0.4F, 0.4F}}};
  changes[13] = {"all", Everything()};
  std::vector<std::string> titles;
  for (const auto &[title, spec] : changes) titles.push_back(title);
  titles.insert(titles.end(), {"order", "reordered"});
  ContactSheet sheet(titles, 110);
  Drawer ink("ink");
  Drawer order("order");
  const AugmentSpec reordered = {.stroke_reorder = 1};
  raster::AugmentKey key = {.seed = 1};
  for (const auto &[name, generated] : GeneratedDrawings()) {
    const Drawing drawing = WithTimes(generated);
    ++key.index;
    for (const auto &[title, spec] : changes) {
      ink.AddChanged(&sheet, drawing.strokes(), spec, key);
    }
    order.AddTo(&sheet, drawing.strokes());
    order.AddChanged(&sheet, drawing.strokes(), reordered, key);
  }
  return sheet;
}

}  // namespace inkstream::testing
