#include "server/transport/codec_chooser.h"

#include <algorithm>

namespace inkstream::transport {
namespace {

// Of one measurement: long enough for what the kernel buffers not to count.
constexpr double kSeconds = 0.5;
constexpr uint32_t kBatches = 4;
constexpr double kLongSeconds = 2;  // however few batches
// A client unpacks 1.3 GB/s at the slowest measured: where raw batches come at
// half of that, packing them has little to win.
constexpr double kFastLink = 650e6;  // bytes a second
constexpr double kBlocked = 0.5;     // of the time
constexpr double kWorthIt = 1.25;
constexpr double kFirstPause = 10;
constexpr double kLongestPause = 600;

}  // namespace

void CodecChooser::OnSent(bool packed, uint32_t batches, uint64_t bytes,
                          const WriteProgress& progress) {
  // Batches that were begun before the way was changed still come.
  if (packed != packs() || !measuring_) {
    measuring_ = packed == packs();
    start_ = progress;
    batches_ = 0;
    bytes_ = 0;
    return;
  }
  batches_ += batches;
  bytes_ += bytes;
  const double seconds = progress.now - start_.now -
                         (progress.waited_client - start_.waited_client);
  if (seconds < kSeconds || (batches_ < kBatches && seconds < kLongSeconds)) {
    return;
  }
  const double blocked =
      (progress.waited_network - start_.waited_network) / seconds;
  measuring_ = false;
  Decide(static_cast<double>(bytes_) / seconds, blocked, progress.now);
}

void CodecChooser::Decide(double rate, double blocked, double now) {
  if (!packs()) {
    raw_rate_ = rate;
    if (trying_) {
      trying_ = false;
      if (rate * kWorthIt < packed_rate_) return Switch(true);
      next_try_ = now + pause_;
      return;
    }
    if (blocked < kBlocked || rate > kFastLink || now < next_try_) return;
    trying_ = true;
    return Switch(true);
  }
  packed_rate_ = rate;
  if (trying_) {
    trying_ = false;
    pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
    next_try_ = now + pause_;
    if (rate < raw_rate_ * kWorthIt) Switch(false);
    return;
  }
  // Where the network holds up even this, raw batches would come more slowly.
  if (blocked >= kBlocked || now < next_try_) return;
  trying_ = true;
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  next_try_ = now + pause_;
  Switch(false);
}

void CodecChooser::Switch(bool packs) {
  packs_.store(packs, std::memory_order_relaxed);
}

}  // namespace inkstream::transport
