#include "server/ingest/export/byte_sink.h"

#include <utility>

#include "absl/strings/match.h"

namespace inkstream::ingest {

absl::StatusOr<std::unique_ptr<ByteSink>> OpenSink(const std::string& path) {
  absl::StatusOr<std::unique_ptr<ByteSink>> file = OpenFileSink(path);
  if (!file.ok()) return file.status();
  if (absl::EndsWith(path, ".gz")) return NewGzipSink(*std::move(file));
  if (absl::EndsWith(path, ".zst")) return NewZstdSink(*std::move(file));
  return file;
}

}  // namespace inkstream::ingest
