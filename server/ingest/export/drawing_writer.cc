#include "server/ingest/export/drawing_writer.h"

namespace inkstream::ingest {
namespace {

class NdjsonWriter : public DrawingWriter {
 public:
  absl::Status Append(const Drawing& drawing, std::string* out) const override {
    AppendNdjsonLine(drawing, out);
    return absl::OkStatus();
  }
};

class CsvWriter : public DrawingWriter {
 public:
  std::string Header() const override { return kCsvHeader; }
  absl::Status Append(const Drawing& drawing, std::string* out) const override {
    AppendCsvRow(drawing, out);
    return absl::OkStatus();
  }
};

class BinWriter : public DrawingWriter {
 public:
  bool IsByWord() const override { return true; }
  absl::Status Append(const Drawing& drawing, std::string* out) const override {
    return AppendBinRecord(drawing, out);
  }
};

}  // namespace

std::optional<OutputFormat> ParseOutputFormat(absl::string_view name) {
  if (name == "ndjson") return OutputFormat::kNdjson;
  if (name == "bin") return OutputFormat::kBin;
  if (name == "csv") return OutputFormat::kCsv;
  return std::nullopt;
}

absl::string_view SuffixOf(OutputFormat format) {
  switch (format) {
    case OutputFormat::kNdjson:
      return ".ndjson";
    case OutputFormat::kBin:
      return ".bin";
    case OutputFormat::kCsv:
      return ".csv";
  }
  return "";
}

std::unique_ptr<const DrawingWriter> DrawingWriter::Create(
    OutputFormat format) {
  switch (format) {
    case OutputFormat::kNdjson:
      return std::make_unique<NdjsonWriter>();
    case OutputFormat::kBin:
      return std::make_unique<BinWriter>();
    case OutputFormat::kCsv:
      return std::make_unique<CsvWriter>();
  }
  return nullptr;
}

}  // namespace inkstream::ingest
