// `inkstream inspect`: one drawing for a person at a terminal.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/app/commands/commands.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/base/timestamp_text.h"
#include "server/ingest/export/drawing_writer.h"
#include "server/raster/ascii_preview.h"
#include "server/store/store_reader.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "inspect";
constexpr absl::string_view kKeyPrefix = "key:";

struct InspectFlags {
  std::string store;
  std::string drawing;
  uint32_t columns = 64;
  bool json = false;
};

absl::StatusOr<uint64_t> FindIndex(const store::StoreReader& store,
                                   absl::string_view text) {
  if (absl::StartsWith(text, kKeyPrefix)) {
    int64_t key = 0;
    if (!absl::SimpleAtoi(text.substr(kKeyPrefix.size()), &key) || key < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat(text,
                       " is not key:ID with an ID in "
                       "1..9223372036854775807"));
    }
    return store.FindKey(key);
  }
  uint64_t index = 0;
  if (!absl::SimpleAtoi(text, &index)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is neither an index nor key:ID (key:5152802093400064)"));
  }
  if (index >= store.size()) {
    return absl::OutOfRangeError(
        absl::StrCat("there is no drawing ", index, ": ", store.path(), " has ",
                     store.size(), ", the first is 0"));
  }
  return index;
}

std::string Text(uint64_t index, const Drawing& drawing, uint32_t columns) {
  std::string text = absl::StrCat("index        ", index, "\n");
  const auto line = [&](absl::string_view name, absl::string_view value) {
    std::string padded(name);
    padded.resize(13, ' ');
    absl::StrAppend(&text, padded, value, "\n");
  };
  if (drawing.word) line("word", *drawing.word);
  if (drawing.countrycode) line("countrycode", *drawing.countrycode);
  if (drawing.timestamp) {
    line("timestamp", FormatTimestamp(*drawing.timestamp));
  }
  if (drawing.recognized) {
    line("recognized", *drawing.recognized ? "true" : "false");
  }
  if (drawing.key_id) line("key_id", absl::StrCat(*drawing.key_id));
  line("strokes", absl::StrCat(drawing.stroke_ends.size()));
  line("points", absl::StrCat(drawing.x.size()));
  absl::StrAppend(&text, "\n");
  for (const std::string& row :
       raster::AsciiPreview(drawing.strokes(), columns)) {
    absl::StrAppend(&text, row, "\n");
  }
  return text;
}

// The drawing as its own NDJSON line with the index in front.
std::string Json(uint64_t index, const Drawing& drawing) {
  std::string line;
  ingest::AppendNdjsonLine(drawing, &line);
  return absl::StrCat("{\"index\":", index, ",", line.substr(1));
}

int RunInspect(const InspectFlags& flags) {
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> store =
      store::StoreReader::Open(flags.store);
  if (!store.ok()) return Fail(kName, store.status(), kExitFailed);
  const absl::StatusOr<uint64_t> index = FindIndex(**store, flags.drawing);
  if (!index.ok()) {
    return Fail(
        kName, index.status(),
        absl::IsInvalidArgument(index.status()) ? kExitUsage : kExitFailed);
  }
  Drawing drawing;
  const absl::Status status =
      (*store)->NewDrawingReader()->ReadDrawing(*index, &drawing);
  if (!status.ok()) return Fail(kName, status, kExitFailed);
  std::fputs((flags.json ? Json(*index, drawing)
                         : Text(*index, drawing, flags.columns))
                 .c_str(),
             stdout);
  return kExitDone;
}

}  // namespace

void AddInspectCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App* command =
      app.add_subcommand(kName, "Shows one drawing of a store in the terminal");
  command->add_option("STORE", flags->store, "The store")->required();
  command
      ->add_option("DRAWING", flags->drawing,
                   "Its index, or key:ID with its key_id")
      ->required();
  command->add_option("--columns", flags->columns, "Width of the picture")
      ->check(CLI::Range(8, 200))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "The drawing as JSON");
  command->footer(
      "Example:\n"
      "  inkstream inspect drawings.ink 3\n"
      "  inkstream inspect drawings.ink key:5152802093400064");
  command->callback([flags, exit_code] { *exit_code = RunInspect(*flags); });
}

}  // namespace inkstream::app
