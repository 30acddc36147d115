#include "server/raster/rasterizer.h"

#include <memory>

#include "server/raster/capsule_plan.h"
#include "server/raster/draw_kernel.h"
#include "server/raster/image_spec_check.h"

namespace inkstream::raster {
namespace {

class InkRasterizer final : public Rasterizer {
 public:
  explicit InkRasterizer(const ImageSpec& spec)
      : spec_(spec), plan_(MakeCapsulePlan(spec)), scratch_(plan_) {}

  size_t image_bytes() const override {
    return size_t{spec_.height} * spec_.width;
  }

  void Draw(const StrokesView& strokes, uint8_t* out) override {
    DrawInk(spec_, plan_, strokes, scratch_, out);
  }

 private:
  const ImageSpec spec_;
  const CapsulePlan plan_;
  DrawScratch scratch_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Rasterizer>> Rasterizer::Create(
    const ImageSpec& spec, uint32_t max_side) {
  if (absl::Status status = CheckImageSpec(spec, max_side); !status.ok()) {
    return status;
  }
  return std::make_unique<InkRasterizer>(spec);
}

}  // namespace inkstream::raster
