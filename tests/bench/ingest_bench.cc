// The ingest room by stage, one core: cut lines, parse them, write them, make
// them up, and the whole of it into a store.
//
// Input: INKSTREAM_BENCH_NDJSON, a plain simplified NDJSON file; synthetic
// drawings without it. Rates are drawings and bytes of NDJSON a second.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "server/ingest/generate/class_catalog.h"
#include "server/ingest/generate/drawing_generator.h"
#include "server/ingest/ingest_job.h"
#include "server/ingest/ndjson_format.h"
#include "server/ingest/ndjson_writer.h"
#include "server/store/store_writer.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

constexpr uint64_t kSynthetic = 100000;

const std::string& Text() {
  static const std::string* const text = [] {
    auto* made = new std::string();
    if (const char* path = std::getenv("INKSTREAM_BENCH_NDJSON")) {
      std::ifstream file(path, std::ios::binary);
      made->assign(std::istreambuf_iterator<char>(file), {});
      return made;
    }
    DrawingGenerator generator(1, ClassCatalog().size());
    Drawing drawing;
    for (uint64_t index = 0; index < kSynthetic; ++index) {
      generator.Generate(index, &drawing);
      AppendNdjsonLine(drawing, made);
    }
    return made;
  }();
  return *text;
}

class TextSource : public ByteSource {
 public:
  absl::StatusOr<size_t> Read(char* out, size_t capacity) override {
    const size_t count = std::min(capacity, Text().size() - position_);
    std::memcpy(out, Text().data() + position_, count);
    position_ += count;
    return count;
  }
  uint64_t consumed() const override { return position_; }

 private:
  size_t position_ = 0;
};

uint64_t ReadAll(RecordParser* parser) {
  const std::unique_ptr<RecordCutter> cutter =
      NdjsonFormat().NewCutter(std::make_unique<TextSource>(), "memory");
  RecordChunk chunk;
  uint64_t drawings = 0;
  while (*cutter->Next(&chunk)) {
    if (parser != nullptr) drawings += parser->Parse(chunk).drawings.size();
  }
  return drawings;
}

void Report(benchmark::State& state, uint64_t drawings) {
  state.SetItemsProcessed(static_cast<int64_t>(drawings));
  state.SetBytesProcessed(
      static_cast<int64_t>(state.iterations() * Text().size()));
}

void Cut(benchmark::State& state) {
  const uint64_t lines = std::count(Text().begin(), Text().end(), '\n');
  for (auto _ : state) ReadAll(nullptr);
  Report(state, state.iterations() * lines);
}
BENCHMARK(Cut)->Unit(benchmark::kMillisecond);

void CutAndParse(benchmark::State& state) {
  const std::unique_ptr<RecordParser> parser = NdjsonFormat().NewParser();
  uint64_t drawings = 0;
  for (auto _ : state) drawings += ReadAll(parser.get());
  Report(state, drawings);
}
BENCHMARK(CutAndParse)->Unit(benchmark::kMillisecond);

void WriteNdjson(benchmark::State& state) {
  const std::unique_ptr<RecordParser> parser = NdjsonFormat().NewParser();
  const std::unique_ptr<RecordCutter> cutter =
      NdjsonFormat().NewCutter(std::make_unique<TextSource>(), "memory");
  RecordChunk chunk;
  if (!*cutter->Next(&chunk)) return state.SkipWithError("no drawings");
  const std::vector<Drawing> drawings = parser->Parse(chunk).drawings;
  std::string lines;
  int64_t bytes = 0;
  for (auto _ : state) {
    lines.clear();
    for (const Drawing& drawing : drawings) AppendNdjsonLine(drawing, &lines);
    bytes += static_cast<int64_t>(lines.size());
  }
  state.SetItemsProcessed(
      static_cast<int64_t>(state.iterations() * drawings.size()));
  state.SetBytesProcessed(bytes);
}
BENCHMARK(WriteNdjson)->Unit(benchmark::kMicrosecond);

void Generate(benchmark::State& state) {
  DrawingGenerator generator(1, ClassCatalog().size());
  Drawing drawing;
  uint64_t index = 0;
  for (auto _ : state) generator.Generate(index++, &drawing);
  state.SetItemsProcessed(static_cast<int64_t>(index));
}
BENCHMARK(Generate);

// Argument: threads, of the readers and of the store each.
void IngestIntoStore(benchmark::State& state) {
  const testing::ScratchDirectory scratch;
  std::ofstream(scratch.File("in.ndjson"), std::ios::binary) << Text();
  uint64_t drawings = 0;
  for (auto _ : state) {
    const std::string path = scratch.File("bench.ink");
    std::filesystem::remove_all(path);
    store::WriterOptions writer_options;
    writer_options.threads = static_cast<int>(state.range(0));
    auto writer = store::StoreWriter::Create(path, writer_options);
    IngestOptions options;
    options.threads = static_cast<int>(state.range(0));
    options.inputs = *ListInputs({scratch.File("in.ndjson")});
    IngestReport report;
    const absl::Status status = writer.ok()
                                    ? RunIngest(options, writer->get(), &report)
                                    : writer.status();
    if (!status.ok()) {
      return state.SkipWithError(std::string(status.message()).c_str());
    }
    drawings += report.kept;
  }
  Report(state, drawings);
}
BENCHMARK(IngestIntoStore)
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

}  // namespace
}  // namespace inkstream::ingest

BENCHMARK_MAIN();
