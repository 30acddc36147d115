// The ingest room by stage, one core: cut lines, parse them, write them, make
// them up, and the whole of it into a store.
//
// Input: INKSTREAM_BENCH_NDJSON, a plain simplified NDJSON file; synthetic
// drawings without it. Rates are drawings and bytes of input a second.

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

#include "absl/strings/str_cat.h"
#include "server/ingest/export/drawing_writer.h"
#include "server/ingest/formats/drawing_format.h"
#include "server/ingest/generate/class_catalog.h"
#include "server/ingest/generate/drawing_generator.h"
#include "server/ingest/ingest_job.h"
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
      kNdjsonFormat.new_cutter(std::make_unique<TextSource>(), "memory");
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
  const std::unique_ptr<RecordParser> parser = kNdjsonFormat.new_parser({});
  uint64_t drawings = 0;
  for (auto _ : state) drawings += ReadAll(parser.get());
  Report(state, drawings);
}
BENCHMARK(CutAndParse)->Unit(benchmark::kMillisecond);

void WriteNdjson(benchmark::State& state) {
  const std::unique_ptr<RecordParser> parser = kNdjsonFormat.new_parser({});
  const std::unique_ptr<RecordCutter> cutter =
      kNdjsonFormat.new_cutter(std::make_unique<TextSource>(), "memory");
  RecordChunk chunk;
  if (!*cutter->Next(&chunk)) return state.SkipWithError("no drawings");
  const std::vector<Drawing> drawings = parser->Parse(chunk).drawings.Unpack();
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

std::vector<Drawing> Drawings() {
  const std::unique_ptr<RecordParser> parser = kNdjsonFormat.new_parser({});
  const std::unique_ptr<RecordCutter> cutter =
      kNdjsonFormat.new_cutter(std::make_unique<TextSource>(), "memory");
  RecordChunk chunk;
  std::vector<Drawing> drawings;
  while (*cutter->Next(&chunk)) {
    for (Drawing& drawing : parser->Parse(chunk).drawings.Unpack()) {
      drawings.push_back(std::move(drawing));
    }
  }
  return drawings;
}

// The same drawings as a file of `format`, `copies` times. `fresh_keys`: every
// copy has key_ids of its own, and no drawing another's.
std::string InputText(const std::string& format, int copies, bool fresh_keys) {
  std::string text = format == "csv" ? kCsvHeader : "";
  std::vector<Drawing> drawings = Drawings();
  int64_t key = 0;
  for (int copy = 0; copy < copies; ++copy) {
    for (Drawing& drawing : drawings) {
      if (fresh_keys) drawing.key_id = ++key << 20U;
      if (format == "csv") {
        AppendCsvRow(drawing, &text);
      } else if (format == "bin") {
        if (!AppendBinRecord(drawing, &text).ok()) return "";
      } else {
        AppendNdjsonLine(drawing, &text);
      }
    }
  }
  return text;
}

// Argument: threads, of the readers and of the store each.
void IngestIntoStore(benchmark::State& state, const std::string& format,
                     int copies, bool fresh_keys) {
  const testing::ScratchDirectory scratch;
  const std::string file = scratch.File(absl::StrCat("in.", format));
  const std::string text = InputText(format, copies, fresh_keys);
  if (text.empty()) return state.SkipWithError("a column is missing");
  std::ofstream(file, std::ios::binary) << text;
  uint64_t drawings = 0;
  for (auto _ : state) {
    const std::string path = scratch.File("bench.ink");
    std::filesystem::remove_all(path);
    store::WriterOptions writer_options;
    writer_options.threads = static_cast<int>(state.range(0));
    auto writer = store::StoreWriter::Create(path, writer_options);
    IngestOptions options;
    options.threads = static_cast<int>(state.range(0));
    options.inputs = *ListInputs({file});
    IngestReport report;
    const absl::Status status = writer.ok()
                                    ? RunIngest(options, writer->get(), &report)
                                    : writer.status();
    if (!status.ok()) {
      return state.SkipWithError(std::string(status.message()).c_str());
    }
    drawings += report.kept;
  }
  state.SetItemsProcessed(static_cast<int64_t>(drawings));
  state.SetBytesProcessed(
      static_cast<int64_t>(state.iterations() * text.size()));
}

BENCHMARK_CAPTURE(IngestIntoStore, ndjson_unique_keys, "ndjson", 4, true)
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(IngestIntoStore, ndjson_every_key_four_times, "ndjson", 4,
                  false)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(IngestIntoStore, bin_unique_keys, "bin", 4, true)
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(IngestIntoStore, csv_unique_keys, "csv", 4, true)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

}  // namespace
}  // namespace inkstream::ingest

BENCHMARK_MAIN();
