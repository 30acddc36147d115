#include "server/ingest/split_rules.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/json_text.h"
#include "server/store/format.h"
#include "server/store/writing/split_hash.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kShownCharacters = 40;
constexpr absl::string_view kByFile = "file";
constexpr absl::string_view kByDirectory = "directory";
constexpr absl::string_view kByRecognized = "recognized";

std::string AsSplitName(std::string name) {
  for (char& c : name) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != '.' && c != '-') c = '_';
  }
  if (name.size() > store::kMaxSplitNameBytes) {
    name.resize(store::kMaxSplitNameBytes);
  }
  return name.empty() ? "_" : name;
}

}  // namespace

absl::Status SplitRules::SetRule(absl::string_view by) {
  if (by != kByFile && by != kByDirectory && by != kByRecognized) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--split-by is '", by, "', expected file, directory or recognized"));
  }
  by_ = std::string(by);
  return absl::OkStatus();
}

absl::Status SplitRules::AddList(const std::string& name,
                                 const std::string& path) {
  if (!store::IsSplitName(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--split-list: '", name,
                     "' must be 1 to 64 letters, digits, '_', '.' or '-'"));
  }
  std::ifstream file(path);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("--split-list: cannot read ", path));
  }
  const uint32_t number = static_cast<uint32_t>(names_.size());
  names_.push_back(name);
  std::string line;
  for (uint64_t n = 1; std::getline(file, line); ++n) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty()) continue;
    int64_t key = 0;
    if (!absl::SimpleAtoi(text, &key) || key < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("--split-list: line ", n, " of ", path, " is '",
                       PrintableText(text, kShownCharacters),
                       "', expected a key_id, 1..9223372036854775807"));
    }
    if (listed_.size() == kMaxListedKeys) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--split-list: more than ", kMaxListedKeys,
          " key_ids, the limit; give the drawings a \"split\" in the input, or "
          "split by file or directory"));
    }
    listed_.push_back({key, number});
  }
  std::sort(listed_.begin(), listed_.end(),
            [](const Listed& a, const Listed& b) { return a.key < b.key; });
  const auto twice = std::adjacent_find(
      listed_.begin(), listed_.end(),
      [](const Listed& a, const Listed& b) { return a.key == b.key; });
  if (twice != listed_.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--split-list: key_id ", twice->key, " is listed twice, in '",
        names_[twice->name], "' and '", names_[(twice + 1)->name], "'"));
  }
  return absl::OkStatus();
}

std::string SplitRules::SplitOfInput(const std::string& input) const {
  if (by_ != kByFile && by_ != kByDirectory) return "";
  std::error_code ignored;
  const std::filesystem::path path = std::filesystem::absolute(input, ignored);
  if (by_ == kByDirectory) {
    return AsSplitName(path.parent_path().filename().string());
  }
  const std::string name = path.filename().string();
  return AsSplitName(name.substr(0, name.find('.')));
}

void SplitRules::Apply(const std::string& input,
                       store::PackedDrawings* drawings) const {
  if (empty()) return;
  const std::string of_input = SplitOfInput(input);
  const bool by_recognized = by_ == kByRecognized;
  for (size_t i = 0; i < drawings->size(); ++i) {
    if (drawings->split(i) != nullptr) continue;
    const store::PackedDrawing drawing = (*drawings)[i];
    if (drawing.key_id.has_value() && !listed_.empty()) {
      const auto at = std::lower_bound(
          listed_.begin(), listed_.end(), *drawing.key_id,
          [](const Listed& listed, int64_t key) { return listed.key < key; });
      if (at != listed_.end() && at->key == *drawing.key_id) {
        drawings->SetSplit(i, names_[at->name]);
        continue;
      }
    }
    if (by_recognized) {
      if (drawing.recognized.has_value()) {
        drawings->SetSplit(i,
                           *drawing.recognized ? "recognized" : "unrecognized");
      }
    } else if (!of_input.empty()) {
      drawings->SetSplit(i, of_input);
    }
  }
}

std::string SplitRules::origin() const {
  if (by_.empty()) return names_.empty() ? "source" : "list";
  return names_.empty() ? by_ : "listed";
}

}  // namespace inkstream::ingest
