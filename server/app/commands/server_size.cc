#include "server/app/commands/server_size.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace inkstream::app {
namespace {

// Server CPU in ms for a thousand drawings to Python over TCP, measured in one
// run on AVX-512: as rows of strokes, and drawn, by pixels.
constexpr double kRowsCpuMs = 1.0;
struct Measured {
  double pixels;
  double cpu_ms;
};
constexpr Measured kCpu[] = {
    {28 * 28, 2.8}, {64 * 64, 3.7}, {128 * 128, 8.1}, {224 * 224, 23}};
// For what two runs differ by, and the drain of another replica.
constexpr double kToSpare = 4.0 / 3;
// Of a row of strokes with its columns, and its share of a message.
constexpr uint64_t kRowBytes = 100;
// Rows travel in messages of this size, where batches are smaller.
constexpr uint64_t kRowsMessage = 256U << 10U;
constexpr uint64_t kLeastMemory = 64ULL << 20U;
// A quarter of --memory is for batches or messages: two for each stream.
constexpr uint64_t kBatchesOfAStream = 8;

// Between those measured along a line; beyond, in proportion.
double CpuMs(double pixels) {
  const auto* const above =
      std::find_if(std::begin(kCpu), std::end(kCpu),
                   [=](const Measured& one) { return one.pixels >= pixels; });
  if (above == std::begin(kCpu)) return above->cpu_ms;
  const Measured& below = *std::prev(above);
  if (above == std::end(kCpu)) return below.cpu_ms * pixels / below.pixels;
  return below.cpu_ms + (above->cpu_ms - below.cpu_ms) *
                            (pixels - below.pixels) /
                            (above->pixels - below.pixels);
}

}  // namespace

ServerSize ServerSizeFor(const TrainerLoad& load, uint32_t cores_each) {
  const double drawings = load.trainers * load.drawings_a_second;
  const double cpu_ms =
      load.draw ? kRowsCpuMs : CpuMs(static_cast<double>(load.pixels));
  const uint64_t bytes = load.draw ? kRowBytes * load.batch : load.batch_bytes;
  ServerSize size;
  size.cores = drawings * cpu_ms / 1e6 * kToSpare;
  size.network = drawings * static_cast<double>(bytes) / load.batch;
  size.memory =
      kLeastMemory + kBatchesOfAStream * load.trainers *
                         (load.draw ? std::max(bytes, kRowsMessage) : bytes);
  size.store_in_memory = load.store_bytes;
  size.replicas =
      1 + static_cast<uint32_t>(
              std::ceil(std::max(size.cores, 1e-9) / std::max(1U, cores_each)));
  return size;
}

}  // namespace inkstream::app
