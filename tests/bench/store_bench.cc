// The store room, one core each: random reads of strokes and of whole drawings,
// a column, opening, what is touched first, writing. bytes_per_drawing counts
// every file of the store.
//
// Input: INKSTREAM_BENCH_STORE, a store; one of synthetic drawings without it.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "server/ingest/generate/class_catalog.h"
#include "server/ingest/generate/drawing_generator.h"
#include "server/store/store_reader.h"
#include "server/store/store_writer.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

constexpr uint64_t kSynthetic = 50000;
constexpr uint64_t kWritten = 50000;
constexpr size_t kAppend = 1000;

void Write(const std::string& path, const std::vector<Drawing>& drawings) {
  WriterOptions options;
  options.threads = 1;
  auto writer = StoreWriter::Create(path, options);
  if (!writer.ok()) std::abort();
  for (size_t at = 0; at < drawings.size(); at += kAppend) {
    const size_t end = std::min(drawings.size(), at + kAppend);
    if (!(*writer)
             ->Append({drawings.begin() + static_cast<ptrdiff_t>(at),
                       drawings.begin() + static_cast<ptrdiff_t>(end)})
             .ok()) {
      std::abort();
    }
  }
  if (!(*writer)->Finish().ok()) std::abort();
}

std::vector<Drawing> SyntheticDrawings() {
  std::vector<Drawing> drawings(kSynthetic);
  ingest::DrawingGenerator generator(1, ingest::ClassCatalog().size());
  for (uint64_t i = 0; i < kSynthetic; ++i) {
    generator.Generate(i, &drawings[i]);
  }
  return drawings;
}

const StoreReader& Store() {
  static const std::shared_ptr<const StoreReader> store = [] {
    OpenOptions options;
    options.preload = true;
    if (const char* path = std::getenv("INKSTREAM_BENCH_STORE")) {
      return *StoreReader::Open(path, options);
    }
    static const testing::ScratchDirectory scratch;
    Write(scratch.File("store"), SyntheticDrawings());
    return *StoreReader::Open(scratch.File("store"), options);
  }();
  return *store;
}

std::vector<uint64_t> RandomIndices() {
  std::mt19937_64 random(1);
  std::vector<uint64_t> indices(size_t{1} << 20);
  for (uint64_t& index : indices) index = random() % Store().size();
  return indices;
}

void CountDrawings(benchmark::State& state, uint64_t drawings) {
  state.SetItemsProcessed(static_cast<int64_t>(drawings));
  state.counters["bytes_per_drawing"] =
      static_cast<double>(Store().info().bytes_on_disk) /
      static_cast<double>(Store().size());
}

void ReadStrokes(benchmark::State& state) {
  const std::vector<uint64_t> indices = RandomIndices();
  const std::unique_ptr<DrawingReader> reader = Store().NewDrawingReader();
  uint64_t at = 0;
  for (auto _ : state) {
    const auto strokes = reader->ReadStrokes(indices[at++ % indices.size()]);
    if (!strokes.ok()) state.SkipWithError("a read failed");
    benchmark::DoNotOptimize(strokes);
  }
  CountDrawings(state, at);
}
BENCHMARK(ReadStrokes);

// As a batch reads: it knows what it will read.
void ReadStrokesAnnounced(benchmark::State& state) {
  constexpr size_t kAtOnce = 256;
  const std::vector<uint64_t> random = RandomIndices();
  const std::vector<int64_t> indices(random.begin(), random.end());
  const std::unique_ptr<DrawingReader> reader = Store().NewDrawingReader();
  uint64_t at = 0;
  for (auto _ : state) {
    if (at % kAtOnce == 0) {
      reader->Find(
          absl::MakeConstSpan(indices).subspan(at % indices.size(), kAtOnce));
    }
    const auto strokes = reader->ReadFound(at++ % kAtOnce);
    if (!strokes.ok()) state.SkipWithError("a read failed");
    benchmark::DoNotOptimize(strokes);
  }
  CountDrawings(state, at);
}
BENCHMARK(ReadStrokesAnnounced);

void ReadDrawing(benchmark::State& state) {
  const std::vector<uint64_t> indices = RandomIndices();
  const std::unique_ptr<DrawingReader> reader = Store().NewDrawingReader();
  Drawing drawing;
  uint64_t at = 0;
  for (auto _ : state) {
    if (!reader->ReadDrawing(indices[at++ % indices.size()], &drawing).ok()) {
      state.SkipWithError("a read failed");
    }
  }
  CountDrawings(state, at);
}
BENCHMARK(ReadDrawing);

void Label(benchmark::State& state) {
  const std::vector<uint64_t> indices = RandomIndices();
  uint64_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(Store().Label(indices[at++ % indices.size()]));
  }
  CountDrawings(state, at);
}
BENCHMARK(Label);

void SplitHashScan(benchmark::State& state) {
  uint64_t sum = 0;
  for (auto _ : state) {
    for (uint64_t i = 0; i < Store().size(); ++i) sum += Store().SplitHash(i);
  }
  benchmark::DoNotOptimize(sum);
  CountDrawings(state,
                static_cast<uint64_t>(state.iterations()) * Store().size());
}
BENCHMARK(SplitHashScan);

void Open(benchmark::State& state) {
  for (auto _ : state) {
    if (!StoreReader::Open(Store().path()).ok()) std::abort();
  }
  CountDrawings(state,
                static_cast<uint64_t>(state.iterations()) * Store().size());
}
BENCHMARK(Open)->Unit(benchmark::kMicrosecond);

// Random drawings of a store that was just opened: nearly each is the first of
// its block.
void ReadFirst(benchmark::State& state) {
  const uint64_t count = Store().size() / 64;
  const std::vector<uint64_t> indices = RandomIndices();
  for (auto _ : state) {
    state.PauseTiming();
    const auto store = *StoreReader::Open(Store().path());
    const std::unique_ptr<DrawingReader> reader = store->NewDrawingReader();
    state.ResumeTiming();
    for (uint64_t i = 0; i < count; ++i) {
      benchmark::DoNotOptimize(reader->ReadStrokes(indices[i]));
    }
  }
  CountDrawings(state, static_cast<uint64_t>(state.iterations()) * count);
}
BENCHMARK(ReadFirst)->Unit(benchmark::kMicrosecond);

void WriteStore(benchmark::State& state) {
  std::vector<Drawing> drawings(std::min(kWritten, Store().size()));
  const std::unique_ptr<DrawingReader> reader = Store().NewDrawingReader();
  for (uint64_t i = 0; i < drawings.size(); ++i) {
    if (!reader->ReadDrawing(i, &drawings[i]).ok()) std::abort();
  }
  const testing::ScratchDirectory scratch;
  for (auto _ : state) {
    Write(scratch.File("store"), drawings);
    state.PauseTiming();
    std::filesystem::remove_all(scratch.File("store"));
    state.ResumeTiming();
  }
  CountDrawings(state,
                static_cast<uint64_t>(state.iterations()) * drawings.size());
}
BENCHMARK(WriteStore)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace inkstream::store

BENCHMARK_MAIN();
