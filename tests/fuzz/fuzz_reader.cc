// Any bytes as an input of one format (INKSTREAM_FUZZ_FORMAT): cut, parsed,
// judged. What is accepted must satisfy the store and come back from its own
// text; what is refused must be reported as JSON; the size of reads must not
// matter.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/ingest/export/drawing_writer.h"
#include "server/ingest/input/input_format.h"
#include "server/store/drawing_rules.h"
#include "simdjson.h"

namespace inkstream::ingest {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz_reader: %s\n", what);
  std::abort();
}

class BytesSource : public ByteSource {
 public:
  BytesSource(absl::string_view bytes, size_t piece)
      : bytes_(bytes), piece_(piece) {}
  absl::StatusOr<size_t> Read(char* out, size_t capacity) override {
    const size_t count = std::min({capacity, piece_, bytes_.size()});
    if (count == 0) return size_t{0};
    std::memcpy(out, bytes_.data(), count);
    bytes_.remove_prefix(count);
    return count;
  }
  uint64_t consumed() const override { return 0; }

 private:
  absl::string_view bytes_;
  const size_t piece_;
};

struct Everything {
  ParsedChunk parsed;
  bool good = true;
};

const DrawingFormat& Format() {
  PeekedSource nothing(std::make_unique<BytesSource>("", 1));
  return **ChooseFormat(*ParseInputFormat(INKSTREAM_FUZZ_FORMAT), &nothing,
                        "input");
}

constexpr bool kIsRaw =
    absl::string_view(INKSTREAM_FUZZ_FORMAT) == absl::string_view("raw");

Everything ReadAll(absl::string_view bytes, size_t piece) {
  static RecordChunk* const chunk = new RecordChunk();
  static RecordParser* const parser =
      Format().new_parser({/*keep_raw=*/kIsRaw}).release();
  const std::unique_ptr<RecordCutter> cutter =
      Format().new_cutter(std::make_unique<BytesSource>(bytes, piece), "input");
  Everything all;
  for (;;) {
    const absl::StatusOr<bool> more = cutter->Next(chunk);
    all.good = more.ok();
    if (!more.ok() || !*more) return all;
    ParsedChunk parsed = parser->Parse(*chunk);
    all.parsed.read += parsed.read;
    all.parsed.errors.Merge(parsed.errors);
    for (size_t i = 0; i < parsed.drawings.size(); ++i) {
      all.parsed.drawings.Add(parsed.drawings, i);
    }
  }
}

// The drawing in the format itself; nullopt: it cannot carry it.
std::optional<std::string> OwnText(const Drawing& drawing) {
  const absl::string_view format = INKSTREAM_FUZZ_FORMAT;
  std::string text;
  if (format == "csv") {
    text = kCsvHeader;
    AppendCsvRow(drawing, &text);
  } else if (format == "bin") {
    if (!AppendBinRecord(drawing, &text).ok()) return std::nullopt;
  } else {
    if (format == "json") text = "[";
    AppendNdjsonLine(drawing, &text);
    if (format == "json") text += "]";
  }
  return text;
}

void CheckComesBack(const Drawing& drawing) {
  const std::optional<std::string> text = OwnText(drawing);
  if (!text.has_value()) return;
  const Everything again = ReadAll(*text, text->size());
  Require(again.good && again.parsed.drawings.size() == 1,
          "its own text is not accepted");
  Require(again.parsed.drawings.Unpack().front() == drawing,
          "its own text differs");
}

void CheckReport(const ParsedChunk& parsed) {
  const std::string json =
      parsed.errors.ToJson(parsed.read, parsed.drawings.size(), {"input"});
  simdjson::dom::parser parser;
  simdjson::dom::element report;
  Require(parser.parse(json).get(report) == simdjson::SUCCESS,
          "the report is not JSON");
  for (const ErrorExample& example : parsed.errors.examples()) {
    Require(!example.reason.empty(), "an error without reason");
  }
}

void TestOne(absl::string_view bytes) {
  const Everything whole = ReadAll(bytes, SIZE_MAX);
  Require(whole.parsed.read ==
              whole.parsed.drawings.size() + whole.parsed.errors.total(),
          "read is not kept + skipped");
  for (const Drawing& drawing : whole.parsed.drawings.Unpack()) {
    Require(store::ValidateDrawing(drawing).ok(), "the store would refuse it");
    CheckComesBack(drawing);
  }
  CheckReport(whole.parsed);
  const Everything pieces = ReadAll(bytes, 7);
  Require(pieces.good == whole.good, "the size of reads decides");
  if (!whole.good) return;
  Require(pieces.parsed.drawings == whole.parsed.drawings,
          "the size of reads matters");
}

}  // namespace
}  // namespace inkstream::ingest

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  inkstream::ingest::TestOne({reinterpret_cast<const char*>(data), size});
  return 0;
}
