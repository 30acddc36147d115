#include "server/ingest/ingest_job.h"

#include <atomic>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/ingest/byte_source.h"
#include "server/ingest/input_format.h"
#include "server/ingest/ordered_workers.h"
#include "server/ingest/peeked_source.h"

namespace inkstream::ingest {
namespace {

// The inputs one after another. Next() on one thread at a time.
class InputSequence {
 public:
  explicit InputSequence(const IngestOptions& options) : options_(options) {}

  absl::StatusOr<bool> Next(RecordChunk* chunk) {
    for (;;) {
      if (options_.interrupted && options_.interrupted()) {
        return absl::CancelledError("interrupted");
      }
      if (cutter_ == nullptr) {
        if (file_ == options_.inputs.size()) return false;
        if (absl::Status status = Open(); !status.ok()) return status;
      }
      absl::StatusOr<bool> more = cutter_->Next(chunk);
      if (!more.ok()) return more.status();
      consumed_.store(before_ + source_->consumed());
      if (*more) {
        chunk->file = file_;
        chunk->format = format_;
        if (!options_.word.empty()) chunk->word = options_.word;
        return true;
      }
      before_ += source_->consumed();
      cutter_.reset();
      ++file_;
    }
  }

  uint64_t consumed() const { return consumed_.load(); }

 private:
  absl::Status Open() {
    const std::string& path = options_.inputs[file_].path;
    absl::StatusOr<std::unique_ptr<ByteSource>> source =
        OpenSource(path, options_.interrupted);
    if (!source.ok()) return source.status();
    auto peeked = std::make_unique<PeekedSource>(*std::move(source));
    absl::StatusOr<const DrawingFormat*> format =
        formats_.Choose(options_.format, peeked.get(), SourceName(path));
    if (!format.ok()) return format.status();
    format_ = *format;
    source_ = peeked.get();
    cutter_ = format_->NewCutter(std::move(peeked), SourceName(path));
    return absl::OkStatus();
  }

  const IngestOptions& options_;
  const InputFormats formats_;
  const DrawingFormat* format_ = nullptr;  // of the open input
  size_t file_ = 0;
  uint64_t before_ = 0;  // bytes of the files that have ended
  ByteSource* source_ = nullptr;
  std::unique_ptr<RecordCutter> cutter_;  // owns source_
  std::atomic<uint64_t> consumed_{0};
};

absl::Status TooManyErrors(const IngestOptions& options,
                           const IngestReport& report) {
  return absl::OutOfRangeError(absl::StrCat(
      report.errors.total(), " of ", report.read, " drawings are bad (",
      report.errors.Summary(), "), more than --max-errors ",
      options.max_errors.DebugString(), "; nothing was stored"));
}

absl::Status Take(const IngestOptions& options, ParsedChunk chunk,
                  store::StoreWriter* writer, IngestReport* report) {
  report->read += chunk.read;
  report->kept += chunk.drawings.size();
  report->errors.Merge(chunk.errors);
  report->unknown_keys.Merge(chunk.unknown_keys);
  report->null_values.Merge(chunk.null_values);
  report->simplified += chunk.simplified;
  report->kept_raw += chunk.kept_raw;
  if (options.max_errors.IsOverNow(report->errors.total())) {
    return TooManyErrors(options, *report);
  }
  if (!chunk.drawings.empty()) {
    absl::Status status = writer->Append(std::move(chunk.drawings));
    if (!status.ok()) return status;
  }
  if (options.progress) options.progress(*report);
  return absl::OkStatus();
}

std::string NamesOf(const IngestOptions& options) {
  std::string names = SourceName(options.inputs.front().path);
  if (options.inputs.size() > 1) {
    absl::StrAppend(&names, " and ", options.inputs.size() - 1, " more");
  }
  return names;
}

absl::Status ReadAll(const IngestOptions& options, store::StoreWriter* writer,
                     IngestReport* report) {
  InputSequence inputs(options);
  OrderedStages<RecordChunk, ParsedChunk> stages;
  stages.next = [&](RecordChunk* chunk) { return inputs.Next(chunk); };
  stages.new_worker = [&] {
    auto parsers = std::make_shared<
        std::map<const DrawingFormat*, std::unique_ptr<RecordParser>>>();
    return
        [parsers, &options](RecordChunk& chunk) -> absl::StatusOr<ParsedChunk> {
          std::unique_ptr<RecordParser>& parser = (*parsers)[chunk.format];
          if (parser == nullptr) {
            parser = chunk.format->NewParser(options.parser);
          }
          return parser->Parse(chunk);
        };
  };
  stages.take = [&](ParsedChunk chunk) {
    report->bytes_read = inputs.consumed();
    return Take(options, std::move(chunk), writer, report);
  };
  absl::Status status = RunInOrder(options.threads, std::move(stages));
  if (!status.ok()) return status;
  if (report->read == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are no drawings in ", NamesOf(options),
                     ": expected NDJSON, a JSON array, Kaggle's CSV or the "
                     "official binary format"));
  }
  if (options.max_errors.IsOverAtEnd(report->errors.total(), report->read)) {
    return TooManyErrors(options, *report);
  }
  if (report->kept == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "none of the ", report->read, " drawings is good; nothing was stored"));
  }
  return absl::OkStatus();
}

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
  absl::Status status = ReadAll(options, writer, report);
  if (status.ok()) {
    absl::StatusOr<std::string> fingerprint = writer->Finish();
    if (fingerprint.ok()) {
      report->fingerprint = *std::move(fingerprint);
    } else {
      status = fingerprint.status();
    }
  }
  if (status.ok()) return status;
  absl::Status discarded = writer->Discard();
  if (discarded.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(status.message(), "; and ",
                                                  discarded.message()));
}

}  // namespace inkstream::ingest
