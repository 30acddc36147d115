#include "server/order/epoch_order.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/order/keyed_mix.h"

namespace inkstream::order {
namespace {

// A seed for each pass over each component of a mixture.
uint64_t SeedOf(uint64_t seed, uint64_t component, uint64_t pass) {
  return Derive(Derive(seed, component + 1), pass);
}

}  // namespace

absl::StatusOr<EpochOrder> EpochOrder::Create(
    const OrderSpec& spec, std::shared_ptr<const Mixture> mixture,
    uint64_t epoch) {
  if (mixture->size == 0) {
    return absl::InvalidArgumentError("the view has no drawings to order");
  }
  if (mixture->size > Permutation::kMaxSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("the view has ", mixture->size,
                     " drawings; at most 2^63 can be ordered"));
  }
  if (spec.shuffle > ShuffleKind::kNone) {
    return absl::InvalidArgumentError(absl::StrCat(
        "order.shuffle = ", static_cast<int>(spec.shuffle),
        " is not known; offered: \"full\", \"window:N\", \"none\""));
  }
  if (spec.shuffle == ShuffleKind::kWindow && spec.shuffle_window == 0) {
    return absl::InvalidArgumentError(
        "order.window = 0; a window has at least 1 drawing, \"window:100000\" "
        "is usual");
  }
  return EpochOrder(spec, std::move(mixture), epoch);
}

absl::StatusOr<EpochOrder> EpochOrder::Create(const OrderSpec& spec,
                                              uint64_t size, uint64_t epoch) {
  return Create(spec, std::make_shared<const Mixture>(Mixture::Uniform(size)),
                epoch);
}

EpochOrder::EpochOrder(const OrderSpec& spec,
                       std::shared_ptr<const Mixture> mixture, uint64_t epoch)
    : kind_(spec.shuffle),
      window_(spec.shuffle_window),
      seed_(spec.seed),
      epoch_(epoch),
      mixture_(std::move(mixture)) {
  std::vector<Shuffle> shuffles;
  const size_t components = mixture_->sizes.size();
  if (mixture_->slots != nullptr) {
    phase_ = mixture_->slots->PhaseOf(seed_, epoch_);
  }
  if (spec.sampling.kind == SamplingKind::kUniform ||
      spec.sampling.kind == SamplingKind::kDrawings) {
    shuffles.push_back(MakeShuffle(mixture_->size, seed_));
  } else {
    schedule_ = std::make_shared<const MixSchedule>(mixture_, seed_, epoch_);
    for (size_t c = 0; c < components; ++c) {
      shuffles.push_back(
          mixture_->quotas[c] == 0
              ? Shuffle()
              : MakeShuffle(mixture_->sizes[c], SeedOf(seed_, c, 0)));
    }
  }
  shuffles_ = std::make_shared<const std::vector<Shuffle>>(std::move(shuffles));
}

EpochOrder::Shuffle EpochOrder::MakeShuffle(uint64_t size,
                                            uint64_t seed) const {
  switch (kind_) {
    case ShuffleKind::kFull:
      return Permutation(size, seed, epoch_);
    case ShuffleKind::kWindow:
      return WindowShuffle(size, window_, seed, epoch_);
    case ShuffleKind::kNone:
      break;
  }
  return std::monostate();
}

uint64_t EpochOrder::Apply(const Shuffle& shuffle, uint64_t position,
                           WindowShuffle::Memo* memo) {
  if (const auto* full = std::get_if<Permutation>(&shuffle)) {
    return (*full)(position);
  }
  if (const auto* window = std::get_if<WindowShuffle>(&shuffle)) {
    return window->RankAt(position, memo);
  }
  return position;
}

Pick EpochOrder::PickAt(uint64_t position, WindowShuffle::Memo* memo) const {
  if (schedule_ == nullptr) {
    const uint64_t place = Apply(shuffles_->front(), position, memo);
    if (mixture_->slots == nullptr) return {0, place, 0};
    const WeightSlots::Drawn drawn = mixture_->slots->At(place, phase_);
    return {0, drawn.rank, drawn.occurrence};
  }
  const MixSchedule::Turn turn = schedule_->At(position);
  const uint64_t size = mixture_->sizes[turn.component];
  const uint64_t pass = turn.turn / size;
  const uint64_t place = turn.turn % size;
  // A memo is of one shuffle; here each position may have another.
  WindowShuffle::Memo own;
  if (pass == 0) {
    return {turn.component, Apply((*shuffles_)[turn.component], place, &own),
            0};
  }
  const Shuffle shuffle =
      MakeShuffle(size, SeedOf(seed_, turn.component, pass));
  return {turn.component, Apply(shuffle, place, &own), pass};
}

void EpochOrder::PicksFrom(uint64_t first, absl::Span<Pick> out) const {
  WindowShuffle::Memo memo;
  uint64_t position = first % size();
  for (Pick& pick : out) {
    pick = PickAt(position, &memo);
    if (++position == size()) position = 0;
  }
}

uint64_t EpochOrder::RankAt(uint64_t position) const {
  WindowShuffle::Memo memo;
  return PickAt(position, &memo).rank;
}

}  // namespace inkstream::order
