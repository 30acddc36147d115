#include "server/ingest/input/input_sequence.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ingest/input/file_source.h"
#include "server/ingest/input/file_word.h"
#include "server/ingest/input/input_shard.h"
#include "server/ingest/input/line_cutter.h"

namespace inkstream::ingest {

absl::Status CheckInputs(const std::vector<InputFile>& inputs,
                         InputFormat format, InterruptCheck interrupted,
                         std::vector<std::string>* empty) {
  for (const InputFile& input : inputs) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(input.path, ignored)) continue;
    absl::StatusOr<std::unique_ptr<PeekedSource>> source =
        OpenSource(input.path, interrupted);
    if (!source.ok()) return source.status();
    absl::Status status =
        ChooseFormat(format, source->get(), SourceName(input.path)).status();
    if (!status.ok()) return status;
    if ((*source)->Peek(1)->empty()) empty->push_back(input.path);
  }
  return absl::OkStatus();
}

InputSequence::InputSequence(const std::vector<InputFile>& inputs,
                             InputFormat format, const std::string& word,
                             const InputPlace& start,
                             InterruptCheck interrupted)
    : inputs_(inputs),
      wanted_(format),
      word_(word),
      start_(start),
      interrupted_(std::move(interrupted)),
      file_(start.file) {
  for (size_t f = 0; f < file_ && f < inputs_.size(); ++f) {
    before_ += inputs_[f].bytes;
  }
  consumed_ = before_;
}

absl::StatusOr<bool> InputSequence::Next(RecordChunk* chunk) {
  for (;;) {
    if (interrupted_ && interrupted_()) {
      return absl::CancelledError("interrupted");
    }
    if (cutter_ == nullptr) {
      if (file_ >= inputs_.size()) return false;
      if (absl::Status status = Open(); !status.ok()) return status;
    }
    absl::StatusOr<bool> more = cutter_->Next(chunk);
    if (!more.ok()) return more.status();
    consumed_.store(before_ + source_->consumed());
    const bool skipped = *more && chunk->offset < skip_before_;
    if (skip_before_ > 0 && !skipped) {
      if (!*more || chunk->offset != skip_before_) {
        return absl::FailedPreconditionError(absl::StrCat(
            SourceName(inputs_[file_].path),
            " is not what the interrupted ingest read: nothing begins at byte ",
            skip_before_, "; begin anew without --resume"));
      }
      skip_before_ = 0;
    }
    if (skipped) continue;
    if (*more) {
      chunk->file = file_;
      chunk->format = format_;
      if (!word_.empty()) chunk->word = word_;
      if (!chunk->word.empty() && chunk->word != good_word_) {
        if (absl::Status s = CheckWord(chunk->word); !s.ok()) {
          return absl::InvalidArgumentError(
              absl::StrCat(SourceName(inputs_[file_].path),
                           ": its name gives its drawings a bad ", s.message(),
                           "; rename it, or say --word"));
        }
        good_word_ = chunk->word;
      }
      return true;
    }
    before_ += source_->consumed();
    cutter_.reset();
    ++file_;
  }
}

absl::Status InputSequence::OpenAt(uint64_t offset, uint64_t line) {
  const InputFile& input = inputs_[file_];
  const uint64_t end = input.end == 0 ? UINT64_MAX : input.end;
  absl::StatusOr<std::unique_ptr<FileSource>> source =
      FileSource::OpenRange(input.path, offset, end, interrupted_);
  if (!source.ok()) return source.status();
  before_ += offset - input.begin;
  source_ = source->get();
  cutter_ = std::make_unique<LineCutter>(*std::move(source), offset, line);
  return absl::OkStatus();
}

absl::Status InputSequence::Open() {
  const InputFile& input = inputs_[file_];
  absl::StatusOr<std::unique_ptr<PeekedSource>> source =
      OpenSource(input.path, interrupted_);
  if (!source.ok()) return source.status();
  absl::StatusOr<const DrawingFormat*> format =
      ChooseFormat(wanted_, source->get(), SourceName(input.path));
  if (!format.ok()) return format.status();
  format_ = *format;
  const bool resumed = file_ == start_.file && start_.offset > input.begin;
  if ((resumed || input.end != 0) && format_->lines_are_records &&
      IsPlainFile(input.path)) {
    if (resumed) return OpenAt(start_.offset, start_.line);
    absl::StatusOr<uint64_t> line = LineAt(input.path, input.begin);
    return line.ok() ? OpenAt(input.begin, *line) : line.status();
  }
  if (resumed) skip_before_ = start_.offset;
  source_ = source->get();
  cutter_ = format_->new_cutter(*std::move(source), SourceName(input.path));
  return absl::OkStatus();
}

}  // namespace inkstream::ingest
