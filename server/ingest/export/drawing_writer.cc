#include "server/ingest/export/drawing_writer.h"

namespace inkstream::ingest {
namespace {

// Of a format that carries every drawing.
template <void (*append)(const Drawing&, std::string*)>
absl::Status Always(const Drawing& drawing, std::string* out) {
  append(drawing, out);
  return absl::OkStatus();
}

}  // namespace

const OutputFormat kNdjsonOutput = {"ndjson", ".ndjson", "", false,
                                    Always<AppendNdjsonLine>};
const OutputFormat kBinOutput = {"bin", ".bin", "", true, AppendBinRecord};
const OutputFormat kCsvOutput = {"csv", ".csv", kCsvHeader, false,
                                 Always<AppendCsvRow>};

const OutputFormat* ParseOutputFormat(absl::string_view name) {
  for (const OutputFormat* one : {&kNdjsonOutput, &kBinOutput, &kCsvOutput}) {
    if (one->name == name) return one;
  }
  return nullptr;
}

}  // namespace inkstream::ingest
