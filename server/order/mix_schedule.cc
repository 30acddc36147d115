#include "server/order/mix_schedule.h"

#include <algorithm>
#include <bit>

#include "server/order/keyed_mix.h"

namespace inkstream::order {
namespace {

constexpr uint64_t kSmallestBlock = 256;
constexpr uint64_t kLargestBlock = 65536;
constexpr uint64_t kScheduleKey = 3;
constexpr uint64_t kPhaseKey = 4;
constexpr uint64_t kShuffleKey = 5;

// (a * b + c) / d, with the fast division where it is enough.
uint64_t MultiplyAddDivide(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  const Uint128 sum = static_cast<Uint128>(a) * b + c;
  if (sum >> 64U == 0) return static_cast<uint64_t>(sum) / d;
  return static_cast<uint64_t>(sum / d);
}

}  // namespace

MixSchedule::MixSchedule(std::shared_ptr<const Mixture> mixture, uint64_t seed,
                         uint64_t epoch)
    : mixture_(std::move(mixture)),
      key_(Derive(Derive(seed, epoch), kScheduleKey)),
      block_size_(
          std::clamp<uint64_t>(std::bit_ceil(2 * mixture_->quotas.size()),
                               kSmallestBlock, kLargestBlock)) {
  const uint64_t key = Derive(key_, kPhaseKey);
  for (size_t c = 0; c < mixture_->quotas.size(); ++c) {
    phases_.push_back(MultiplyHigh(Derive(key, c), mixture_->size));
  }
}

MixSchedule::Turn MixSchedule::At(uint64_t position) const {
  return (*BlockOf(position / block_size_))[position % block_size_];
}

// Time runs from 0 to size(): component c has had
// floor((time * quota + phase) / size) turns, so none at 0, its quota at the
// end, and never two at once. What falls on one time is in order of number.
uint64_t MixSchedule::TurnsUpTo(size_t component, uint64_t time) const {
  return MultiplyAddDivide(time, mixture_->quotas[component],
                           phases_[component], mixture_->size);
}

uint64_t MixSchedule::TimeOf(size_t component, uint64_t turn) const {
  const uint64_t quota = mixture_->quotas[component];
  return MultiplyAddDivide(turn + 1, mixture_->size,
                           quota - 1 - phases_[component] % quota, quota) -
         phases_[component] / quota;
}

uint64_t MixSchedule::AllTurnsUpTo(uint64_t time) const {
  uint64_t turns = 0;
  for (size_t c = 0; c < phases_.size(); ++c) turns += TurnsUpTo(c, time);
  return turns;
}

std::shared_ptr<const MixSchedule::Block> MixSchedule::BlockOf(
    uint64_t number) const {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    for (const auto& [kept, block] : blocks_) {
      if (kept == number) return block;
    }
  }
  auto made = std::make_shared<const Block>(MakeBlock(number));
  const std::lock_guard<std::mutex> lock(mu_);
  if (blocks_.size() == kKept) blocks_.erase(blocks_.begin());
  blocks_.emplace_back(number, made);
  return made;
}

MixSchedule::Block MixSchedule::MakeBlock(uint64_t number) const {
  const uint64_t components = phases_.size();
  const uint64_t begin = number * block_size_;
  const uint64_t end = std::min(begin + block_size_, size());
  // The last time at which no more than `begin` turns were had. All turns
  // together are within `components` of the time.
  uint64_t low = begin > components ? begin - components : 0;
  uint64_t high = std::min(begin + components, size());
  while (low < high) {
    const uint64_t middle = low + (high - low + 1) / 2;
    if (AllTurnsUpTo(middle) <= begin) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  const uint64_t last = std::min(end + components, size());
  std::vector<std::pair<uint64_t, Turn>> turns;  // with their times
  uint64_t before = 0;
  for (uint32_t c = 0; c < components; ++c) {
    const uint64_t first = TurnsUpTo(c, low);
    const uint64_t past = TurnsUpTo(c, last);
    before += first;
    for (uint64_t turn = first; turn < past; ++turn) {
      turns.push_back({TimeOf(c, turn), {c, turn}});
    }
  }
  std::stable_sort(
      turns.begin(), turns.end(),
      [](const auto& a, const auto& b) { return a.first < b.first; });
  Block block;
  block.reserve(end - begin);
  for (uint64_t i = begin - before; i < end - before; ++i) {
    block.push_back(turns[i].second);
  }
  Shuffle(number, &block);
  return block;
}

// Which components is shuffled; each one's turns stay in order.
void MixSchedule::Shuffle(uint64_t number, Block* block) const {
  std::vector<uint64_t> next(phases_.size(), ~uint64_t{0});
  for (const Turn& turn : *block) {
    next[turn.component] = std::min(next[turn.component], turn.turn);
  }
  const uint64_t key = Derive(Derive(key_, kShuffleKey), number);
  for (uint64_t i = block->size() - 1; i > 0; --i) {
    const uint64_t other = MultiplyHigh(Derive(key, i), i + 1);
    std::swap((*block)[i].component, (*block)[other].component);
  }
  for (Turn& turn : *block) turn.turn = next[turn.component]++;
}

}  // namespace inkstream::order
