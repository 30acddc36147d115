#include "server/ingest/export_job.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/ingest/ndjson_writer.h"
#include "server/ingest/ordered_workers.h"

namespace inkstream::ingest {
namespace {

constexpr uint64_t kDrawingsAChunk = 512;

struct IndexRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct Lines {
  std::string text;
  uint64_t drawings = 0;
};

absl::StatusOr<Lines> Format(store::DrawingReader& reader, IndexRange range) {
  Lines lines;
  Drawing drawing;
  for (uint64_t index = range.begin; index < range.end; ++index) {
    absl::Status status = reader.ReadDrawing(index, &drawing);
    if (!status.ok()) return status;
    AppendNdjsonLine(drawing, &lines.text);
  }
  lines.drawings = range.end - range.begin;
  return lines;
}

}  // namespace

absl::Status RunExport(const store::StoreReader& store,
                       const ExportOptions& options, ByteSink* sink) {
  uint64_t next = 0;
  uint64_t written = 0;
  OrderedStages<IndexRange, Lines> stages;
  stages.next = [&](IndexRange* range) -> absl::StatusOr<bool> {
    if (options.interrupted && options.interrupted()) {
      return absl::CancelledError("interrupted");
    }
    range->begin = next;
    range->end = std::min(next + kDrawingsAChunk, store.size());
    next = range->end;
    return range->begin < range->end;
  };
  stages.new_worker = [&] {
    std::shared_ptr<store::DrawingReader> reader = store.NewDrawingReader();
    return [reader](IndexRange& range) { return Format(*reader, range); };
  };
  stages.take = [&](Lines lines) {
    absl::Status status = sink->Write(lines.text);
    written += lines.drawings;
    if (options.progress) options.progress(written);
    return status;
  };
  return RunInOrder(options.threads, std::move(stages));
}

}  // namespace inkstream::ingest
