#include "server/ingest/export/export_job.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/ordered_workers.h"
#include "server/ingest/export/word_files.h"

namespace inkstream::ingest {
namespace {

constexpr uint64_t kDrawingsAChunk = 512;

struct RankRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct Formatted {
  std::map<std::string, std::string> bytes;  // by word; "": of any
  uint64_t drawings = 0;
};

absl::StatusOr<Formatted> Format(const OutputFormat& format, bool by_word,
                                 const DrawingSource& source, RankRange range) {
  Formatted result;
  Drawing drawing;
  for (uint64_t rank = range.begin; rank < range.end; ++rank) {
    const absl::StatusOr<uint64_t> index = source(rank, &drawing);
    if (!index.ok()) return index.status();
    absl::Status status = format.append(
        drawing, &result.bytes[by_word ? drawing.word.value_or("") : ""]);
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat("drawing ", *index, ": ",
                                                      status.message()));
    }
  }
  result.drawings = range.end - range.begin;
  return result;
}

std::function<DrawingSource()> Source(const store::StoreReader& store,
                                      const ExportedDrawings& drawings) {
  return [&] {
    std::shared_ptr<store::DrawingReader> reader = store.NewDrawingReader();
    return [&drawings, reader](uint64_t rank,
                               Drawing* drawing) -> absl::StatusOr<uint64_t> {
      const uint64_t index = drawings.index_of(rank);
      absl::Status status = reader->ReadDrawing(index, drawing);
      if (!status.ok()) return status;
      return index;
    };
  };
}

}  // namespace

absl::Status WriteDrawings(
    uint64_t count, const std::function<DrawingSource()>& new_source,
    bool by_word, const ExportOptions& options,
    const std::function<absl::Status(const std::string& word,
                                     const std::string& bytes)>& write) {
  uint64_t next = 0;
  uint64_t written = 0;
  OrderedStages<RankRange, Formatted> stages;
  stages.next = [&](RankRange* range) -> absl::StatusOr<bool> {
    if (options.interrupted && options.interrupted()) {
      return absl::CancelledError("interrupted");
    }
    range->begin = next;
    range->end = std::min(next + kDrawingsAChunk, count);
    next = range->end;
    return range->begin < range->end;
  };
  stages.new_worker = [&] {
    return [&options, by_word, source = new_source()](RankRange& range) {
      return Format(*options.format, by_word, source, range);
    };
  };
  stages.take = [&](Formatted formatted) {
    for (const auto& [word, bytes] : formatted.bytes) {
      if (absl::Status status = write(word, bytes); !status.ok()) return status;
    }
    written += formatted.drawings;
    if (options.progress) options.progress(written);
    return absl::OkStatus();
  };
  return RunInOrder(options.threads, std::move(stages));
}

absl::Status RunExport(const store::StoreReader& store,
                       const ExportedDrawings& drawings,
                       const ExportOptions& options, ByteSink* sink) {
  absl::Status status = sink->Write(options.format->header);
  if (!status.ok()) return status;
  return WriteDrawings(
      drawings.count, Source(store, drawings), /*by_word=*/false, options,
      [&](const std::string& /*word*/, const std::string& bytes) {
        return sink->Write(bytes);
      });
}

absl::Status RunExportByWord(const store::StoreReader& store,
                             const ExportedDrawings& drawings,
                             const ExportOptions& options,
                             const std::string& directory) {
  absl::StatusOr<std::unique_ptr<WordFiles>> files =
      WordFiles::Create(directory, options.format->suffix);
  if (!files.ok()) return files.status();
  absl::Status status = WriteDrawings(
      drawings.count, Source(store, drawings), /*by_word=*/true, options,
      [&](const std::string& word, const std::string& bytes) {
        return (*files)->Append(word, bytes);
      });
  return status.ok() ? (*files)->Close() : status;
}

}  // namespace inkstream::ingest
