// Store -> files: what went in, in the format asked for; and drawings of any
// origin into the bytes of a format, in parallel.
//
// Thread safety: one job on one thread; its threads end before it returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/drawing.h"
#include "server/ingest/export/byte_sink.h"
#include "server/ingest/export/drawing_writer.h"
#include "server/ingest/input/byte_source.h"
#include "server/store/store_reader.h"

namespace inkstream::ingest {

struct ExportOptions {
  const OutputFormat* format = &kNdjsonOutput;
  int threads = 1;
  InterruptCheck interrupted;
  std::function<void(uint64_t drawings)> progress;  // written so far
};

// Fills the drawing of a rank and answers its index. One a thread.
using DrawingSource =
    std::function<absl::StatusOr<uint64_t>(uint64_t rank, Drawing* drawing)>;

// Hands the bytes of `count` drawings, by rank, to `write` on the calling
// thread; with `by_word` those of each word apart. Errors of a source, of
// `write`, and: CANCELLED: interrupted. INVALID_ARGUMENT: the format cannot
// carry a drawing, whose index is named.
absl::Status WriteDrawings(
    uint64_t count, const std::function<DrawingSource()>& new_source,
    bool by_word, const ExportOptions& options,
    const std::function<absl::Status(const std::string& word,
                                     const std::string& bytes)>& write);

// Which drawings of a store, by ascending index.
struct ExportedDrawings {
  uint64_t count = 0;
  // The index of the rank-th of them, from any thread.
  std::function<uint64_t(uint64_t rank)> index_of;
};

// Writes the drawings in index order; the caller closes the sink. Errors as
// WriteDrawings. DATA_LOSS: a record is damaged. REQUIRES: a format that is one
// file.
absl::Status RunExport(const store::StoreReader& store,
                       const ExportedDrawings& drawings,
                       const ExportOptions& options, ByteSink* sink);

// The same into a directory of one file a word, each in index order: what the
// binary format needs. It appears when it is complete; ALREADY_EXISTS if it is
// there.
absl::Status RunExportByWord(const store::StoreReader& store,
                             const ExportedDrawings& drawings,
                             const ExportOptions& options,
                             const std::string& directory);

}  // namespace inkstream::ingest
