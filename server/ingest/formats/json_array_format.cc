// A JSON array of drawing objects, [{...}, {...}], laid out in any way: read as
// a stream, element by element, never as a whole. The elements are what a line
// of NDJSON is.
//
// An array that does not end, or is followed by more than blanks, refuses the
// input.

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ingest/formats/drawing_format.h"
#include "server/ingest/input/scanning_cutter.h"

namespace inkstream::ingest {
namespace {

constexpr absl::string_view kByteOrderMark("\xEF\xBB\xBF", 3);

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// An element ends at a comma, or at the array's own bracket. Brackets inside
// are counted, not matched: what is between two ends is the parser's to judge.
class ElementScanner : public RecordScanner {
 public:
  size_t Feed(absl::string_view bytes, bool* ended) override {
    if (std::exchange(done_, false)) Begin();
    for (size_t at = 0; at < bytes.size(); ++at) {
      const char c = bytes[at];
      if (c == '\n') ++line_;
      if (Take(c, fed_ + at)) {
        *ended = true;
        done_ = true;
        return at + 1;
      }
    }
    fed_ += bytes.size();
    return bytes.size();
  }

  absl::Status Finish() override {
    if (stray_ && closed_) {
      return absl::InvalidArgumentError(
          absl::StrCat("goes on behind the end of its array, at line ",
                       stray_line_, "; expected one array of objects"));
    }
    if (closed_) {
      found_ = Found{0, 0, line_, true};
      return absl::OkStatus();
    }
    if (!opened_) {
      return absl::InvalidArgumentError(
          "has no JSON array: expected [ and objects");
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "ends inside its JSON array: the element that begins at line ",
        found_.line, " or what should follow it is not complete"));
  }

  const Found& found() const override { return found_; }
  absl::string_view hint() const override {
    return "is a bracket or a quote not closed?";
  }

 private:
  void Begin() {
    fed_ = 0;
    depth_ = 0;
    in_string_ = escaped_ = false;
    found_ = Found{0, 0, line_, true};
  }

  // True: the element ended before `at`.
  bool Take(char c, size_t at) {
    if (!opened_ || closed_) {
      if (stray_ || IsBlank(c)) return false;
      if (!opened_ && c == '[') {
        opened_ = true;
        return false;
      }
      if (!opened_ && kByteOrderMark.find(c) != absl::string_view::npos) {
        return false;
      }
      stray_line_ = line_;
      stray_ = true;
      return false;
    }
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      found_.end = at + 1;
      return false;
    }
    if (IsBlank(c)) return false;
    if (depth_ == 0 && (c == ',' || c == ']')) {
      // A comma with nothing before it is an element that is not there.
      if (c == ',' && found_.blank) {
        found_ = Found{at, at + 1, line_, false};
      }
      closed_ = c == ']';
      return true;
    }
    if (found_.blank) found_ = Found{at, at, line_, false};
    found_.end = at + 1;
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      depth_ -= depth_ > 0;
    }
    return false;
  }

  Found found_{0, 0, 1, true};
  uint64_t line_ = 1;
  uint64_t stray_line_ = 0;
  uint64_t depth_ = 0;  // inside of the element
  size_t fed_ = 0;
  bool opened_ = false;
  bool closed_ = false;
  bool stray_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
  bool done_ = false;
};

bool Matches(absl::string_view beginning) {
  if (beginning.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    beginning.remove_prefix(kByteOrderMark.size());
  }
  const size_t first = beginning.find_first_not_of(" \t\r\n");
  return first != absl::string_view::npos && beginning[first] == '[';
}

}  // namespace

const DrawingFormat kJsonArrayFormat = {
    .new_cutter = [](std::unique_ptr<ByteSource> source,
                     const std::string& name) -> std::unique_ptr<RecordCutter> {
      return std::make_unique<ScanningCutter>(
          std::move(source), name, std::make_unique<ElementScanner>());
    },
    .new_parser =
        [](const ParserOptions& options) {
          return kNdjsonFormat.new_parser(options);
        },
    .matches = Matches};

}  // namespace inkstream::ingest
