// The capsule plans of one image spec, one a line width.
//
// Thread safety: one object a thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "inkstream/image_spec.h"
#include "server/raster/draw/capsule_plan.h"

namespace inkstream::raster {

// Line widths are rounded to 64 steps an octave; two octaves of plans, about
// 300 KB, are kept, and one made costs about as much as twenty drawings.
class PlanCache {
 public:
  explicit PlanCache(const ImageSpec& spec);

  // For `factor` times the spec's line width; see DrawOptions. Valid until the
  // next call.
  const CapsulePlan& PlanOf(float factor);

 private:
  static constexpr uint32_t kSlots = 128;

  struct Slot {
    uint32_t step = 0;
    CapsulePlan plan;
  };

  const ImageSpec spec_;
  const CapsulePlan plain_;
  std::array<std::unique_ptr<Slot>, kSlots> slots_;
};

}  // namespace inkstream::raster
