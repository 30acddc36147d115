#include "server/app/ingest_summary.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/app/progress_display.h"
#include "server/ingest/json_text.h"

namespace inkstream::app {
namespace {

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
    absl::StrAppend(&text, text.empty() ? "" : ", ", name, " (",
                    WithThousands(count), ")");
  }
  return text;
}

std::string CountsJson(const ingest::KeyCounts& keys) {
  std::string json = "{";
  for (const auto& [name, count] : keys.counts()) {
    if (json.size() > 1) json += ", ";
    ingest::AppendJsonString(name, &json);
    absl::StrAppend(&json, ": ", count);
  }
  return json + "}";
}

}  // namespace

std::string SummaryText(const IngestSummary& summary) {
  const ingest::IngestReport& report = summary.report;
  const uint64_t skipped = report.errors.total();
  std::string text = absl::StrFormat(
      "Stored %s drawings of %s classes in %s\n"
      "  read %s, kept %s, skipped %s\n",
      WithThousands(report.kept), WithThousands(summary.info.classes.size()),
      summary.store, WithThousands(report.read), WithThousands(report.kept),
      WithThousands(skipped));
  if (skipped > 0) {
    absl::StrAppend(&text, "  skipped by kind: ", report.errors.Summary(),
                    "\n");
    absl::StrAppend(&text, "  examples: ",
                    summary.errors.empty() ? "run again with --errors FILE.json"
                                           : summary.errors,
                    "\n");
  }
  if (report.taken_over > 0) {
    absl::StrAppend(&text, "  taken over from an interrupted ingest: ",
                    WithThousands(report.taken_over), "\n");
  }
  if (summary.info.duplicates > 0 || summary.info.dropped > 0) {
    absl::StrAppend(&text, "  key_ids that came before: ",
                    WithThousands(summary.info.duplicates), " kept, ",
                    WithThousands(summary.info.dropped), " dropped\n");
  }
  if (report.simplified > 0) {
    absl::StrAppend(&text, "  raw, simplified as Google did, times left out: ",
                    WithThousands(report.simplified), "\n");
  }
  if (report.kept_raw > 0) {
    absl::StrAppend(&text, "  raw, kept with their times: ",
                    WithThousands(report.kept_raw), "\n");
  }
  if (!report.unknown_keys.counts().empty()) {
    absl::StrAppend(&text, "  keys that a store has no column for: ",
                    CountsText(report.unknown_keys), "\n");
  }
  if (!report.null_values.counts().empty()) {
    absl::StrAppend(&text,
                    "  null read as missing: ", CountsText(report.null_values),
                    "\n");
  }
  const auto rate = static_cast<uint64_t>(PerSecond(summary));
  absl::StrAppendFormat(
      &text,
      "  %.1f s, %s%.1f bytes a drawing on disk\n"
      "  fingerprint %s\n"
      "Serve it: inkstream serve --store %s\n",
      summary.seconds,
      rate > 0 ? absl::StrCat(WithThousands(rate), " drawings/s, ") : "",
      BytesADrawing(summary), report.fingerprint, summary.store);
  return text;
}

std::string SummaryJson(const IngestSummary& summary) {
  const ingest::IngestReport& report = summary.report;
  std::string json =
      absl::StrCat("{\"read\": ", report.read, ", \"kept\": ", report.kept,
                   ", \"skipped\": ", report.errors.total(), ", \"store\": ");
  ingest::AppendJsonString(summary.store, &json);
  absl::StrAppend(&json, ", \"fingerprint\": \"", report.fingerprint,
                  "\", \"classes\": ", summary.info.classes.size(),
                  ", \"bytes_on_disk\": ", summary.info.bytes_on_disk);
  absl::StrAppendFormat(&json,
                        ", \"bytes_per_drawing\": %.2f, \"seconds\": %.3f, "
                        "\"drawings_per_second\": %.0f",
                        BytesADrawing(summary), summary.seconds,
                        PerSecond(summary));
  absl::StrAppend(&json, ", \"taken_over\": ", report.taken_over,
                  ", \"duplicates\": ", summary.info.duplicates,
                  ", \"dropped\": ", summary.info.dropped,
                  ", \"generation\": ", summary.info.generation);
  absl::StrAppend(&json, ", \"simplified\": ", report.simplified,
                  ", \"kept_raw\": ", report.kept_raw,
                  ", \"unknown_keys\": ", CountsJson(report.unknown_keys),
                  ", \"null_values\": ", CountsJson(report.null_values), "}\n");
  return json;
}

}  // namespace inkstream::app
