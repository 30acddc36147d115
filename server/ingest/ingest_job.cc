#include "server/ingest/ingest_job.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/base/ordered_workers.h"
#include "server/ingest/input/byte_source.h"
#include "server/ingest/input/input_sequence.h"
#include "server/ingest/resume_point.h"
#include "server/store/class_names.h"

namespace inkstream::ingest {
namespace {

absl::Status TooManyErrors(const IngestOptions& options,
                           const IngestReport& report) {
  return absl::OutOfRangeError(absl::StrCat(
      report.errors.total(), " of ", report.read, " drawings are bad (",
      report.errors.Summary(), "), more than --max-errors ",
      options.max_errors.DebugString(), "; nothing was stored"));
}

std::string NamesOf(const IngestOptions& options) {
  std::string names = SourceName(options.inputs.front().path);
  if (options.inputs.size() > 1) {
    absl::StrAppend(&names, " and ", options.inputs.size() - 1, " more");
  }
  return names;
}

// A chunk on its way from the parser.
struct PlacedChunk {
  InputPlace place;
  ParsedChunk parsed;
};

class IngestRun {
 public:
  IngestRun(const IngestOptions& options, store::StoreWriter* writer,
            IngestReport* report)
      : options_(options), writer_(writer), report_(report) {}

  absl::Status Run() {
    const absl::StatusOr<InputPlace> start =
        ParseResumePoint(writer_->resume_point(), report_);
    if (!start.ok()) return Kept(start.status());
    report_->taken_over = writer_->taken_over();
    if (absl::Status s = ReadFrom(*start); !s.ok()) return s;
    return CheckWhole();
  }

  // Whether an interrupted ingest may go on behind this failure.
  bool IsWorthKeeping(const absl::Status& status) const {
    return keep_ || !(absl::IsInvalidArgument(status) ||
                      absl::IsOutOfRange(status) || absl::IsDataLoss(status));
  }

 private:
  // Marks a failure of the disk, which is no refusal whatever its code.
  absl::Status Kept(absl::Status status) {
    keep_ |= !status.ok() && !absl::IsInvalidArgument(status);
    return status;
  }

  absl::Status ReadFrom(const InputPlace& start) {
    InputSequence inputs(options_.inputs, options_.format, options_.word, start,
                         options_.interrupted);
    OrderedStages<RecordChunk, PlacedChunk> stages;
    stages.next = [&](RecordChunk* chunk) { return inputs.Next(chunk); };
    stages.new_worker = [&] {
      auto parsers = std::make_shared<
          std::map<const DrawingFormat*, std::unique_ptr<RecordParser>>>();
      return
          [this, parsers](RecordChunk& chunk) -> absl::StatusOr<PlacedChunk> {
            std::unique_ptr<RecordParser>& parser = (*parsers)[chunk.format];
            if (parser == nullptr) {
              ParserOptions parser_options = options_.parser;
              parser_options.places = !options_.classes.empty();
              parser = chunk.format->new_parser(parser_options);
            }
            PlacedChunk placed{{chunk.file, chunk.offset, chunk.line},
                               parser->Parse(chunk)};
            options_.splits.Apply(options_.inputs[chunk.file].path,
                                  &placed.parsed.drawings);
            RefuseUnknownWords(chunk, &placed.parsed);
            return placed;
          };
    };
    stages.take = [&](PlacedChunk placed) {
      report_->bytes_read = inputs.consumed();
      return Take(std::move(placed));
    };
    report_->bytes_read = inputs.consumed();
    return RunInOrder(options_.threads, std::move(stages));
  }

  void RefuseUnknownWords(const RecordChunk& chunk, ParsedChunk* parsed) const {
    if (options_.classes.empty()) return;
    const store::PackedDrawings& drawings = parsed->drawings;
    store::PackedDrawings known;
    known.Reserve(drawings.size(), drawings.bytes());
    for (size_t i = 0; i < drawings.size(); ++i) {
      const store::PackedDrawing drawing = drawings[i];
      const std::string name =
          drawing.word ? store::ClassOfWord(*drawing.word) : "";
      if (!drawing.word || options_.classes.contains(name)) {
        known.Add(drawings, i);
        continue;
      }
      const RecordPlace& place = parsed->places[i];
      parsed->errors.Add(
          ErrorKind::kUnknownWord, chunk.file, place.line,
          chunk.offset + place.begin,
          absl::StrCat("word: '", name, "' is not in --classes-file"),
          chunk.text().substr(place.begin, place.end - place.begin));
    }
    parsed->drawings = std::move(known);
  }

  absl::Status Take(PlacedChunk placed) {
    if (options_.interrupted && options_.interrupted()) {
      return absl::CancelledError("interrupted");
    }
    ParsedChunk& chunk = placed.parsed;
    const uint64_t kept = chunk.drawings.size();
    // Before the report counts this chunk: a segment that ends inside of it is
    // gone on behind from its beginning.
    absl::Status stored = Store(placed.place, std::move(chunk.drawings));
    if (!stored.ok()) return Kept(stored);
    report_->Merge(chunk);
    report_->kept += kept;
    if (options_.max_errors.IsOverNow(report_->errors.total())) {
      return TooManyErrors(options_, *report_);
    }
    if (options_.progress) options_.progress(*report_);
    return absl::OkStatus();
  }

  absl::Status Store(const InputPlace& place, store::PackedDrawings drawings) {
    const uint64_t taken_over = writer_->taken_over();
    if (report_->kept < taken_over) {
      // Segments that are finished hold the first ones.
      store::PackedDrawings rest;
      for (uint64_t i = taken_over - report_->kept; i < drawings.size(); ++i) {
        rest.Add(drawings, i);
      }
      drawings = std::move(rest);
    }
    if (drawings.empty()) return absl::OkStatus();
    return writer_->Append(std::move(drawings), [this, &place] {
      return ResumePointText(place, *report_);
    });
  }

  absl::Status CheckWhole() const {
    if (options_.max_errors.IsOverAtEnd(report_->errors.total(),
                                        report_->read)) {
      return TooManyErrors(options_, *report_);
    }
    if (options_.may_be_empty && report_->errors.total() == 0) {
      return absl::OkStatus();
    }
    if (report_->read == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("there are no drawings in ", NamesOf(options_),
                       report_->empty.empty() ? "" : "; nothing is in it"));
    }
    if (report_->kept == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("none of the ", report_->read,
                       " drawings is good; nothing was stored"));
    }
    return absl::OkStatus();
  }

  const IngestOptions& options_;
  store::StoreWriter* const writer_;
  IngestReport* const report_;
  bool keep_ = false;
};

}  // namespace

absl::Status RunIngest(const IngestOptions& options, store::StoreWriter* writer,
                       IngestReport* report) {
  report->bytes_total = 0;
  for (const InputFile& input : options.inputs) {
    if (input.bytes == 0) {
      report->bytes_total = 0;
      break;
    }
    report->bytes_total += input.bytes;
  }
  IngestRun run(options, writer, report);
  absl::Status status = CheckInputs(options.inputs, options.format,
                                    options.interrupted, &report->empty);
  if (status.ok()) status = run.Run();
  bool keep = run.IsWorthKeeping(status);
  if (status.ok()) {
    const InputPlace end{options.inputs.size()};
    absl::StatusOr<std::string> fingerprint =
        writer->Finish(ResumePointText(end, *report));
    if (fingerprint.ok()) {
      report->fingerprint = *std::move(fingerprint);
      return absl::OkStatus();
    }
    status = fingerprint.status();
    keep = !absl::IsInvalidArgument(status);
  }
  if (keep && writer->durable() > 0) return status;
  if (keep && !absl::IsCancelled(status)) {
    status = absl::Status(
        status.code(),
        absl::StrCat(status.message(),
                     "; no segment was finished, so nothing is kept"));
  }
  absl::Status discarded = writer->Discard();
  if (discarded.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(status.message(), "; and ",
                                                  discarded.message()));
}

}  // namespace inkstream::ingest
