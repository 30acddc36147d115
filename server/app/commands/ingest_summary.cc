#include "server/app/commands/ingest_summary.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/app/commands/progress_display.h"
#include "server/base/json.h"
#include "server/base/json_text.h"

namespace inkstream::app {
namespace {

constexpr size_t kMaxShownPaths = 10;
constexpr size_t kMaxShownPath = 1000;

// Of what this run has read itself; 0: nothing, as where it only had to publish
// what an interrupted one had stored.
double PerSecond(const IngestSummary& summary) {
  const ingest::IngestReport& report = summary.report;
  const uint64_t read = report.read - std::min(report.read, report.taken_over);
  return static_cast<double>(read) / std::max(summary.seconds, 1e-6);
}

double BytesADrawing(const IngestSummary& summary) {
  return static_cast<double>(summary.info.bytes_on_disk) /
         static_cast<double>(std::max<uint64_t>(1, summary.info.drawings));
}

std::string CountsText(const ingest::KeyCounts& keys) {
  std::string text;
  for (const auto& [name, count] : keys.counts()) {
    absl::StrAppend(&text, text.empty() ? "" : ", ",
                    name.empty() ? "one without a name" : name, " (",
                    WithThousands(count), ")");
  }
  return text;
}

Json CountsJson(const ingest::KeyCounts& keys) {
  Json json = Json::object();
  for (const auto& [name, count] : keys.counts()) json[name] = count;
  return json;
}

std::string PathText(const std::string& path) {
  return PrintableText(path, kMaxShownPath);
}

std::string PathsText(const std::vector<std::string>& paths) {
  std::string text;
  for (size_t p = 0; p < std::min(paths.size(), kMaxShownPaths); ++p) {
    absl::StrAppend(&text, p == 0 ? "" : ", ", PathText(paths[p]));
  }
  if (paths.size() > kMaxShownPaths) {
    absl::StrAppend(&text, " and ", paths.size() - kMaxShownPaths, " more");
  }
  return text;
}

}  // namespace

std::string ErrorsText(const IngestSummary& summary) {
  const ingest::ErrorLog& errors = summary.report.errors;
  if (errors.total() == 0) return "";
  std::string text =
      absl::StrCat("  skipped by kind: ", errors.Summary(), "\n");
  std::set<ingest::ErrorKind> shown;
  for (const ingest::ErrorExample& example : errors.examples()) {
    if (!shown.insert(example.kind).second) continue;
    absl::StrAppend(&text, "    ", ingest::ErrorKindName(example.kind), ": ",
                    PathText(ingest::SourceName(summary.inputs[example.file])),
                    ", line ", example.line, ": ", example.reason, "\n");
  }
  absl::StrAppend(&text, "  more of them: ",
                  summary.errors.empty() ? "run again with --errors FILE.json"
                                         : PathText(summary.errors),
                  "\n");
  return text;
}

std::string SummaryText(const IngestSummary& summary) {
  const ingest::IngestReport& report = summary.report;
  const uint64_t skipped = report.errors.total();
  std::string text = absl::StrFormat(
      "Stored %s drawings of %s classes in %s\n"
      "  read %s, kept %s, skipped %s\n",
      WithThousands(report.kept), WithThousands(summary.info.classes.size()),
      PathText(summary.store), WithThousands(report.read),
      WithThousands(report.kept), WithThousands(skipped));
  absl::StrAppend(&text, ErrorsText(summary));
  const auto line_if = [&text](bool there, const auto&... parts) {
    if (there) absl::StrAppend(&text, "  ", parts..., "\n");
  };
  line_if(!report.empty.empty(), "empty files: ", PathsText(report.empty));
  line_if(!summary.passed_over.empty(),
          "passed over, no drawings by their names: ",
          PathsText(summary.passed_over));
  line_if(report.taken_over > 0, "taken over from an interrupted ingest: ",
          WithThousands(report.taken_over));
  line_if(summary.duplicates > 0 || summary.dropped > 0,
          "key_ids that came before: ", WithThousands(summary.duplicates),
          " kept, ", WithThousands(summary.dropped), " dropped");
  line_if(summary.info.unlabelled > 0,
          "in the store without a word, of no class: ",
          WithThousands(summary.info.unlabelled),
          " (--word gives one to .bin files)");
  line_if(report.simplified > 0,
          "raw, simplified as Google did, times left out: ",
          WithThousands(report.simplified));
  line_if(report.kept_raw > 0,
          "raw, kept with their times: ", WithThousands(report.kept_raw));
  line_if(
      !report.unknown_keys.counts().empty(),
      "keys that a store has no column for: ", CountsText(report.unknown_keys));
  line_if(!report.null_values.counts().empty(),
          "null read as missing: ", CountsText(report.null_values));
  line_if(
      !report.other_forms.counts().empty(),
      "not as Google writes it, but clear: ", CountsText(report.other_forms));
  const auto rate = static_cast<uint64_t>(PerSecond(summary));
  absl::StrAppendFormat(
      &text,
      "  %.1f s, %s%.1f bytes a drawing on disk\n"
      "  fingerprint %s\n"
      "Serve it: inkstream serve --store %s\n",
      summary.seconds,
      rate > 0 ? absl::StrCat(WithThousands(rate), " drawings/s, ") : "",
      BytesADrawing(summary), report.fingerprint, PathText(summary.store));
  return text;
}

std::string SummaryJson(const IngestSummary& summary) {
  const ingest::IngestReport& report = summary.report;
  return JsonLine({{"read", report.read},
                   {"kept", report.kept},
                   {"skipped", report.errors.total()},
                   {"store", summary.store},
                   {"fingerprint", report.fingerprint},
                   {"classes", summary.info.classes.size()},
                   {"bytes_on_disk", summary.info.bytes_on_disk},
                   {"bytes_per_drawing", BytesADrawing(summary)},
                   {"seconds", summary.seconds},
                   {"drawings_per_second", PerSecond(summary)},
                   {"taken_over", report.taken_over},
                   {"duplicates", summary.duplicates},
                   {"dropped", summary.dropped},
                   {"generation", summary.info.generation},
                   {"simplified", report.simplified},
                   {"kept_raw", report.kept_raw},
                   {"unknown_keys", CountsJson(report.unknown_keys)},
                   {"null_values", CountsJson(report.null_values)},
                   {"other_forms", CountsJson(report.other_forms)},
                   {"unlabelled", summary.info.unlabelled}});
}

}  // namespace inkstream::app
