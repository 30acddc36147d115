#include "server/raster/draw/plan_cache.h"

#include <algorithm>
#include <bit>

#include "server/raster/tensor/image_spec_check.h"

namespace inkstream::raster {
namespace {

// Bits of a float32's mantissa below the sixth.
constexpr uint32_t kDroppedBits = 17;

}  // namespace

PlanCache::PlanCache(const ImageSpec& spec)
    : spec_(spec), plain_(MakeCapsulePlan(spec, spec.line_width)) {}

const CapsulePlan& PlanCache::PlanOf(float factor) {
  // Neither zero, negative nor not a number is a width: all draw hairlines.
  if (!(factor > 1.0F / 1024.0F)) factor = 1.0F / 1024.0F;
  factor = std::min(factor, 1024.0F);
  const uint32_t step =
      (std::bit_cast<uint32_t>(factor) + (1U << (kDroppedBits - 1))) >>
      kDroppedBits;
  const float rounded = std::bit_cast<float>(step << kDroppedBits);
  if (rounded == 1.0F) return plain_;
  std::unique_ptr<Slot>& slot = slots_[step % kSlots];
  if (slot == nullptr) slot = std::make_unique<Slot>();
  if (slot->step != step) {
    slot->step = step;
    slot->plan = MakeCapsulePlan(
        spec_, std::min(spec_.line_width * rounded, kMaxLineWidth));
  }
  return slot->plan;
}

}  // namespace inkstream::raster
