// Cuts epochs into steps and steps into ranks: which positions each batch of
// one stream covers.
//
// Step j of a stream opened at position p covers positions
// [p + j*G, p + (j+1)*G), G = world * batch_size; rank r takes the r-th slice.
// README.md gives the tail rules.
//
// Thread safety: a StepSchedule is immutable after construction; a Walker
// belongs to one thread at a time and must not outlive its schedule.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"

namespace inkstream::order {

// A place in the order, of all ranks together.
struct EpochPosition {
  uint64_t epoch = 0;
  uint64_t position = 0;

  bool operator==(const EpochPosition&) const = default;
};

// This rank's share of one step.
struct Step {
  uint64_t epoch = 0;
  uint64_t number = 0;  // counted from the place where the epoch was entered
  // Row i stands for position (first + i) % size of the epoch; first < size.
  uint64_t first = 0;
  uint32_t rows = 0;        // >= 1
  uint32_t valid_rows = 0;  // rows [valid_rows, rows) have valid = false
  EpochPosition after;      // the cursor after this step

  bool operator==(const Step&) const = default;
};

class StepSchedule {
 public:
  // `size`: drawings in the view. INVALID_ARGUMENT (naming field, value and
  // limit) for size 0, batch_size 0, world 0, rank >= world, step_stride 0,
  // step_offset >= step_stride, G above 2^62, size < G under Tail::kDrop, and
  // a start beyond the epoch's end. A start at the epoch's end, or at or after
  // `epochs`, is valid.
  static absl::StatusOr<StepSchedule> Create(uint64_t size,
                                             const DeliverySpec& delivery,
                                             EpochPosition start);

  // Walks the steps of this rank that step_offset and step_stride select:
  // those whose number within the epoch is step_offset modulo step_stride.
  class Walker {
   public:
    // Next step, or nullopt after the last one of the last epoch.
    std::optional<Step> Next();
    // The cursor at which a new stream would go on: `after` of the last step
    // returned, the start before the first.
    EpochPosition place() const { return place_; }

   private:
    friend class StepSchedule;
    explicit Walker(const StepSchedule* schedule);
    const StepSchedule* schedule_;
    EpochPosition entered_;  // where the current epoch was entered
    uint64_t step_;          // next step to look at in this epoch
    EpochPosition place_;
  };
  Walker Walk() const { return Walker(this); }

  // Steps of one epoch (all strides) when entered at `position` <= size().
  uint64_t StepsFrom(uint64_t position) const;

  // Step `number` of an epoch entered at (epoch, position); nullopt beyond its
  // end. O(1). `epochs` is not looked at.
  std::optional<Step> StepAt(EpochPosition entered, uint64_t number) const;

  uint64_t size() const { return size_; }

 private:
  StepSchedule(uint64_t size, const DeliverySpec& delivery,
               EpochPosition start);

  // Drawings of a step of all ranks together.
  uint64_t StepSize() const { return world_ * batch_size_; }

  uint64_t size_;
  uint64_t batch_size_;
  uint64_t world_;
  uint64_t rank_;
  Tail tail_;
  std::optional<uint64_t> epochs_;
  uint64_t step_offset_;
  uint64_t step_stride_;
  EpochPosition start_;
};

}  // namespace inkstream::order
