#include "server/order/step_schedule.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace inkstream::order {
namespace {

// Leaves room for position + step in 64 bits.
constexpr uint64_t kMaxStepSize = uint64_t{1} << 62U;
constexpr uint64_t kMaxSize = uint64_t{1} << 63U;
constexpr uint64_t kMaxStride = uint64_t{1} << 32U;
constexpr uint64_t kMaxEpoch = (uint64_t{1} << 63U) - 1;

absl::Status Validate(uint64_t size, const DeliverySpec& delivery,
                      const EpochPosition& start) {
  const auto invalid = [](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat(parts...));
  };
  if (size == 0) {
    return invalid("the view has no drawings: nothing can be streamed");
  }
  if (size > kMaxSize) {
    return invalid("the view has ", size, " drawings; the limit is 2^63");
  }
  if (delivery.batch_size == 0) {
    return invalid("delivery.batch_size = 0; it must be at least 1");
  }
  if (delivery.world == 0) {
    return invalid("delivery.world = 0; it must be at least 1");
  }
  if (delivery.rank >= delivery.world) {
    return invalid("delivery.rank = ", delivery.rank,
                   " is not below delivery.world = ", delivery.world,
                   "; ranks are 0..", delivery.world - 1);
  }
  if (delivery.step_stride == 0) {
    return invalid("delivery.step_stride = 0; it must be at least 1");
  }
  if (delivery.step_offset >= delivery.step_stride) {
    return invalid(
        "delivery.step_offset = ", delivery.step_offset,
        " is not below delivery.step_stride = ", delivery.step_stride,
        "; offsets are 0..", delivery.step_stride - 1);
  }
  if (delivery.step_stride > kMaxStride) {
    return invalid("delivery.step_stride = ", delivery.step_stride,
                   " is above the limit ", kMaxStride);
  }
  const uint64_t step =
      static_cast<uint64_t>(delivery.world) * delivery.batch_size;
  if (step > kMaxStepSize) {
    return invalid("delivery.world ", delivery.world, " x batch_size ",
                   delivery.batch_size, " is above the limit of 2^62");
  }
  if (delivery.tail == Tail::kDrop && size < step) {
    const std::string remedy =
        size >= delivery.world
            ? absl::StrCat("a batch_size of at most ", size / delivery.world)
            : absl::StrCat("a world of at most ", size);
    return invalid("the view has ", size,
                   " drawings, fewer than one step of delivery.world ",
                   delivery.world, " x batch_size ", delivery.batch_size, " = ",
                   step, ", so tail \"drop\" would deliver nothing; use ",
                   remedy, ", or tail \"partial\"");
  }
  if (delivery.tail > Tail::kPad) {
    return invalid("delivery.tail = ", static_cast<int>(delivery.tail),
                   " is not known; offered: \"drop\", \"partial\", \"pad\"");
  }
  if (start.position > size) {
    return invalid("cursor.position = ", start.position,
                   " is beyond the epoch's end at ", size);
  }
  if (start.epoch > kMaxEpoch) {
    return invalid("cursor.epoch = ", start.epoch, " is above the limit ",
                   kMaxEpoch);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StepSchedule> StepSchedule::Create(uint64_t size,
                                                  const DeliverySpec& delivery,
                                                  EpochPosition start) {
  if (absl::Status status = Validate(size, delivery, start); !status.ok()) {
    return status;
  }
  return StepSchedule(size, delivery, start);
}

StepSchedule::StepSchedule(uint64_t size, const DeliverySpec& delivery,
                           EpochPosition start)
    : size_(size),
      batch_size_(delivery.batch_size),
      world_(delivery.world),
      rank_(delivery.rank),
      tail_(delivery.tail),
      epochs_(delivery.epochs),
      step_offset_(delivery.step_offset),
      step_stride_(delivery.step_stride),
      start_(start) {}

uint64_t StepSchedule::StepsFrom(uint64_t position) const {
  const uint64_t left = size_ - std::min(position, size_);
  const uint64_t whole = left / StepSize();
  const bool remainder = left % StepSize() != 0;
  return tail_ == Tail::kDrop ? whole : whole + (remainder ? 1 : 0);
}

std::optional<Step> StepSchedule::StepAt(EpochPosition entered,
                                         uint64_t number) const {
  const uint64_t steps = StepsFrom(entered.position);
  if (number >= steps) {
    return std::nullopt;
  }
  const uint64_t step_size = StepSize();
  uint64_t begin = entered.position + number * step_size;
  uint64_t end = std::min(begin + step_size, size_);
  if (tail_ == Tail::kPartial && batch_size_ >= 2 && steps >= 2 &&
      number + 2 >= steps) {
    // The last two steps share what is left, so that no batch is tiny. With
    // batches of one there is nothing to share: half of less than two steps
    // would leave a rank without a row.
    const uint64_t shared_begin = entered.position + (steps - 2) * step_size;
    const uint64_t shared = size_ - shared_begin;
    const uint64_t middle = shared_begin + (shared + 1) / 2;
    begin = number + 2 == steps ? shared_begin : middle;
    end = number + 2 == steps ? middle : size_;
  }

  Step step;
  step.epoch = entered.epoch;
  step.number = number;
  step.after = number + 1 == steps ? EpochPosition{entered.epoch + 1, 0}
                                   : EpochPosition{entered.epoch, end};
  if (tail_ == Tail::kPartial) {
    const uint64_t each = (end - begin) / world_;
    const uint64_t extra = (end - begin) % world_;
    const uint64_t rows = each + (rank_ < extra ? 1 : 0);
    step.first = (begin + rank_ * each + std::min(rank_, extra)) % size_;
    step.rows = static_cast<uint32_t>(std::max<uint64_t>(rows, 1));
    step.valid_rows = static_cast<uint32_t>(rows);
  } else {
    const uint64_t first = begin + rank_ * batch_size_;
    step.first = first % size_;
    step.rows = static_cast<uint32_t>(batch_size_);
    step.valid_rows = static_cast<uint32_t>(
        first >= end ? 0 : std::min(end - first, batch_size_));
  }
  return step;
}

StepSchedule::Walker::Walker(const StepSchedule* schedule)
    : schedule_(schedule),
      entered_(schedule->start_),
      step_(schedule->step_offset_),
      place_(schedule->start_) {}

std::optional<Step> StepSchedule::Walker::Next() {
  while (!schedule_->epochs_.has_value() ||
         entered_.epoch < *schedule_->epochs_) {
    if (std::optional<Step> step = schedule_->StepAt(entered_, step_)) {
      step_ += schedule_->step_stride_;
      place_ = step->after;
      return step;
    }
    // A whole epoch without a step for this offset: there will never be one.
    if (entered_.position == 0 &&
        schedule_->step_offset_ >= schedule_->StepsFrom(0)) {
      return std::nullopt;
    }
    entered_ = EpochPosition{entered_.epoch + 1, 0};
    step_ = schedule_->step_offset_;
  }
  return std::nullopt;
}

}  // namespace inkstream::order
