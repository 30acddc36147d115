#include "server/ingest/input/file_word.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "inkstream/drawing.h"
#include "server/store/drawing_rules.h"

namespace inkstream::ingest {
namespace {

// Of Google's bucket, as a download puts them in front of the file's name.
constexpr absl::string_view kBucket = "quickdraw_dataset_";
constexpr absl::string_view kFolders[] = {"full_binary_", "full_simplified_",
                                          "full_raw_", "sketchrnn_"};

absl::string_view BaseName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

std::string PercentDecoded(absl::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size() &&
        absl::ascii_isxdigit(text[at + 1]) &&
        absl::ascii_isxdigit(text[at + 2])) {
      out += absl::HexStringToBytes(text.substr(at + 1, 2));
      at += 2;
    } else {
      out += text[at];
    }
  }
  return out;
}

// "cat (1)" is cat.
absl::string_view WithoutCopyNumber(absl::string_view stem) {
  if (!absl::EndsWith(stem, ")")) return stem;
  const size_t open = stem.rfind('(');
  if (open == absl::string_view::npos || open + 2 == stem.size()) return stem;
  const absl::string_view number =
      stem.substr(open + 1, stem.size() - open - 2);
  if (!std::all_of(number.begin(), number.end(), absl::ascii_isdigit)) {
    return stem;
  }
  return absl::StripTrailingAsciiWhitespace(stem.substr(0, open));
}

}  // namespace

std::string WordOfFile(absl::string_view path, absl::string_view suffix) {
  const std::string decoded = PercentDecoded(BaseName(path));
  const absl::string_view name = BaseName(decoded);
  const size_t end =
      absl::AsciiStrToLower(name).find(absl::AsciiStrToLower(suffix));
  if (end == absl::string_view::npos) return "";
  absl::string_view word = absl::StripAsciiWhitespace(name.substr(0, end));
  for (size_t before = word.size() + 1; word.size() < before;) {
    before = word.size();
    word = WithoutCopyNumber(word);
  }
  absl::ConsumePrefix(&word, kBucket);
  for (const absl::string_view folder : kFolders) {
    if (absl::ConsumePrefix(&word, folder)) break;
  }
  return std::string(word);
}

absl::Status CheckWord(absl::string_view word) {
  Drawing drawing;
  drawing.x = drawing.y = {0};
  drawing.stroke_ends = {1};
  drawing.word.emplace(word);
  return store::ValidateDrawing(drawing);
}

}  // namespace inkstream::ingest
