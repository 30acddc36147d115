// Kaggle's CSV of Quick, Draw!: a header row that names the columns, in any
// order: `drawing` (JSON) and any of countrycode, key_id, recognized,
// timestamp, word; the training files have all six, the test form key_id,
// countrycode, drawing. Fields are parted by commas, semicolons or tabs, as the
// header row is. Quoting as in RFC 4180: "" inside quotes is one quote,
// line ends and commas may stand there. An empty field reads as missing. The
// strokes may be raw ones.
//
// A quote that is never closed refuses the input: nothing behind it can be
// told apart.

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/json_text.h"
#include "server/ingest/formats/csv_row.h"
#include "server/ingest/input/scanning_cutter.h"

namespace inkstream::ingest {
namespace {

constexpr absl::string_view kByteOrderMark("\xEF\xBB\xBF", 3);
constexpr size_t kMaxShownHeader = 200;

// A row ends at a line end outside of quotes. A quote opens a field only where
// the field begins: elsewhere it spoils its row, not all that follow.
class RowScanner : public RecordScanner {
 public:
  size_t Feed(absl::string_view bytes, bool* ended) override {
    if (std::exchange(row_done_, false)) Begin();
    size_t at = 0;
    while (at < bytes.size()) {
      if (state_ == kQuoted) {
        at = SkipQuoted(bytes, at);
        continue;
      }
      const char c = bytes[at++];
      if (c == '\n') {
        ++line_;
        if (delimiter_ == 0 && !blank_) delimiter_ = ',';  // one column
        End(fed_ + at - 1);
        *ended = true;
        return at;
      }
      if (c == '"' && state_ != kPlain) {
        // Behind a quoted part it is the second of a pair.
        state_ = kQuoted;
        blank_ = false;
      } else {
        // The first one decides, as in CsvColumns.
        if (delimiter_ == 0 && absl::StrContains(kCsvDelimiters, c)) {
          delimiter_ = c;
        }
        state_ = c == delimiter_ ? kFieldBegins : kPlain;
        blank_ = blank_ && (c == '\r' || c == ' ');
      }
      last_ = c;
    }
    fed_ += at;
    return at;
  }

  absl::Status Finish() override {
    if (std::exchange(row_done_, false)) Begin();
    if (state_ == kQuoted) {
      return absl::InvalidArgumentError(absl::StrCat(
          "ends inside quotes: the row that begins at line ", found_.line,
          " opens one that is not closed, and nothing behind it can be told "
          "apart"));
    }
    End(fed_);
    return absl::OkStatus();
  }

  const Found& found() const override { return found_; }
  absl::string_view hint() const override { return "is a quote not closed?"; }

 private:
  enum State { kFieldBegins, kPlain, kQuoted, kQuoteEnds };

  // Goes to the byte behind the next quote.
  size_t SkipQuoted(absl::string_view bytes, size_t at) {
    const size_t quote = bytes.find('"', at);
    const size_t end = std::min(quote, bytes.size());
    line_ += std::count(bytes.data() + at, bytes.data() + end, '\n');
    if (quote == absl::string_view::npos) return end;
    state_ = kQuoteEnds;
    last_ = '"';
    return quote + 1;
  }
  void Begin() {
    fed_ = 0;
    state_ = kFieldBegins;
    blank_ = true;
    last_ = 0;
    found_ = Found{0, 0, line_, true};
  }
  void End(size_t end) {
    found_.end = last_ == '\r' && end > 0 ? end - 1 : end;
    found_.blank = blank_;
    row_done_ = true;
  }

  Found found_{0, 0, 1, true};
  uint64_t line_ = 1;
  size_t fed_ = 0;
  State state_ = kFieldBegins;
  char delimiter_ = 0;  // 0: the header row has not shown it yet
  bool blank_ = true;
  bool row_done_ = false;
  char last_ = 0;
};

class CsvCutter : public ScanningCutter {
 public:
  CsvCutter(std::unique_ptr<ByteSource> source, const std::string& name)
      : ScanningCutter(std::move(source), name,
                       std::make_unique<RowScanner>()) {}

  absl::StatusOr<bool> Next(RecordChunk* chunk) override {
    absl::StatusOr<bool> more = ScanningCutter::Next(chunk);
    if (!more.ok() || !*more) return more;
    if (header_.empty()) {
      if (absl::Status status = TakeHeader(chunk); !status.ok()) return status;
      if (chunk->records.empty()) return Next(chunk);
    }
    chunk->header = header_;
    return true;
  }

 private:
  absl::Status TakeHeader(RecordChunk* chunk) {
    if (chunk->overlong.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name(), ": the header row is over the limit of ",
                       RecordChunk::kMaxRecordBytes, " bytes"));
    }
    const RecordPlace row = chunk->records.front();
    absl::string_view text =
        chunk->text().substr(row.begin, row.end - row.begin);
    if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
      text.remove_prefix(kByteOrderMark.size());
    }
    absl::StatusOr<CsvColumns> columns = CsvColumns::Parse(text);
    if (!columns.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          name(), ": ", columns.status().message(), "; the first row is ",
          PrintableText(text, kMaxShownHeader)));
    }
    header_ = std::string(text);
    chunk->records.erase(chunk->records.begin());
    return absl::OkStatus();
  }

  std::string header_;
};

bool Matches(absl::string_view beginning) {
  if (beginning.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    beginning.remove_prefix(kByteOrderMark.size());
  }
  const size_t end = beginning.find_first_of("\r\n");
  return CsvColumns::Parse(beginning.substr(0, end)).ok();
}

}  // namespace

const DrawingFormat kCsvFormat = {
    .new_cutter = [](std::unique_ptr<ByteSource> source,
                     const std::string& name) -> std::unique_ptr<RecordCutter> {
      return std::make_unique<CsvCutter>(std::move(source), name);
    },
    .new_parser = NewCsvParser,
    .matches = Matches};

}  // namespace inkstream::ingest
