#include "server/ingest/export/export_job.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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

// The bytes of drawings of one word, or of any.
struct Piece {
  std::string word;
  std::string bytes;
};

struct Pieces {
  std::vector<Piece> pieces;
  uint64_t drawings = 0;
};

absl::StatusOr<Pieces> Format(const OutputFormat& format,
                              const ExportedDrawings& drawings,
                              store::DrawingReader& reader, RankRange range) {
  Pieces result;
  Drawing drawing;
  for (uint64_t rank = range.begin; rank < range.end; ++rank) {
    const uint64_t index = drawings.index_of(rank);
    absl::Status status = reader.ReadDrawing(index, &drawing);
    if (!status.ok()) return status;
    const std::string word = format.by_word ? drawing.word.value_or("") : "";
    if (result.pieces.empty() || result.pieces.back().word != word) {
      result.pieces.push_back({word, ""});
    }
    status = format.append(drawing, &result.pieces.back().bytes);
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat("drawing ", index, ": ",
                                                      status.message()));
    }
  }
  result.drawings = range.end - range.begin;
  return result;
}

absl::Status Run(const store::StoreReader& store,
                 const ExportedDrawings& drawings, const ExportOptions& options,
                 const std::function<absl::Status(const Piece&)>& write) {
  uint64_t next = 0;
  uint64_t written = 0;
  OrderedStages<RankRange, Pieces> stages;
  stages.next = [&](RankRange* range) -> absl::StatusOr<bool> {
    if (options.interrupted && options.interrupted()) {
      return absl::CancelledError("interrupted");
    }
    range->begin = next;
    range->end = std::min(next + kDrawingsAChunk, drawings.count);
    next = range->end;
    return range->begin < range->end;
  };
  stages.new_worker = [&] {
    std::shared_ptr<store::DrawingReader> reader = store.NewDrawingReader();
    return [&options, &drawings, reader](RankRange& range) {
      return Format(*options.format, drawings, *reader, range);
    };
  };
  stages.take = [&](Pieces formatted) {
    for (const Piece& piece : formatted.pieces) {
      if (absl::Status status = write(piece); !status.ok()) return status;
    }
    written += formatted.drawings;
    if (options.progress) options.progress(written);
    return absl::OkStatus();
  };
  return RunInOrder(options.threads, std::move(stages));
}

}  // namespace

absl::Status RunExport(const store::StoreReader& store,
                       const ExportedDrawings& drawings,
                       const ExportOptions& options, ByteSink* sink) {
  absl::Status status = sink->Write(options.format->header);
  if (!status.ok()) return status;
  return Run(store, drawings, options,
             [&](const Piece& piece) { return sink->Write(piece.bytes); });
}

absl::Status RunExportByWord(const store::StoreReader& store,
                             const ExportedDrawings& drawings,
                             const ExportOptions& options,
                             const std::string& directory) {
  absl::StatusOr<std::unique_ptr<WordFiles>> files =
      WordFiles::Create(directory, options.format->suffix);
  if (!files.ok()) return files.status();
  absl::Status status = Run(store, drawings, options, [&](const Piece& piece) {
    return (*files)->Append(piece.word, piece.bytes);
  });
  return status.ok() ? (*files)->Close() : status;
}

}  // namespace inkstream::ingest
