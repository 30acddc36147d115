// The order room, one core: a position of an epoch to its rank, for sizes
// below, at and above the domain where fewer rounds suffice.

#include <benchmark/benchmark.h>

#include <cstdint>

#include "server/order/permutation.h"

namespace inkstream::order {
namespace {

void Position(benchmark::State& state) {
  const Permutation permutation(static_cast<uint64_t>(state.range(0)), 1, 0);
  uint64_t position = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(permutation(position));
    if (++position == permutation.size()) position = 0;
  }
}
BENCHMARK(Position)->Arg(60'000)->Arg(50'000'000)->Arg((1 << 25) + 1);

}  // namespace
}  // namespace inkstream::order

BENCHMARK_MAIN();
