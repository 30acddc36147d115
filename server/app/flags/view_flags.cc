#include "server/app/flags/view_flags.h"

#include <cerrno>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/app/flags/number_flags.h"
#include "server/base/json_text.h"

namespace inkstream::app {
namespace {

constexpr size_t kMaxShown = 40;

absl::Status Wrong(absl::string_view flag, absl::string_view value,
                   absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat(flag, " ", value, ": give ", wanted));
}

absl::StatusOr<WhereTerm> TermOf(const std::string& text) {
  // Longer operators first: "<=" begins with "<".
  static constexpr std::pair<absl::string_view, WhereOp> kOps[] = {
      {" not in ", WhereOp::kNotIn}, {" in ", WhereOp::kIn},
      {"==", WhereOp::kEq},          {"!=", WhereOp::kNe},
      {"<=", WhereOp::kLe},          {">=", WhereOp::kGe},
      {"<", WhereOp::kLt},           {">", WhereOp::kGt}};
  for (const auto& [symbol, op] : kOps) {
    const size_t at = text.find(std::string(symbol));
    if (at == std::string::npos) continue;
    const auto trimmed = [](absl::string_view part) {
      return std::string(absl::StripAsciiWhitespace(part));
    };
    WhereTerm term;
    term.column = trimmed(absl::string_view(text).substr(0, at));
    term.op = op;
    const std::string values = text.substr(at + symbol.size());
    if (op == WhereOp::kIn || op == WhereOp::kNotIn) {
      for (const absl::string_view value : absl::StrSplit(values, ',')) {
        term.values.push_back(trimmed(value));
      }
    } else {
      term.values = {trimmed(values)};
    }
    return term;
  }
  return Wrong("--where", text,
               "COLUMN OP VALUE, such as \"recognized==1\" or \"countrycode in "
               "DE,FR\"");
}

absl::Status SetFold(const std::string& text, View* view) {
  if (text.empty()) return absl::OkStatus();
  absl::string_view rest = text;
  Fold fold;
  fold.held_out = absl::ConsumeSuffix(&rest, ":held-out");
  const std::vector<absl::string_view> parts = absl::StrSplit(rest, '/');
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &fold.index) ||
      !absl::SimpleAtoi(parts[1], &fold.count)) {
    return Wrong("--fold", text, "INDEX/COUNT or INDEX/COUNT:held-out");
  }
  view->fold = fold;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> ReadKeys(const std::string& flag,
                                              const std::string& file) {
  errno = 0;
  std::ifstream input(file);
  std::vector<int64_t> keys;
  std::string line;
  for (uint64_t number = 1; std::getline(input, line); ++number) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty()) continue;
    int64_t key = 0;
    if (!absl::SimpleAtoi(text, &key) || key < 1) {
      return Wrong(flag,
                   absl::StrCat(file, ", line ", number, ", '",
                                PrintableText(text, kMaxShown), "'"),
                   absl::StrCat("one key_id a line, a whole number in 1..",
                                std::numeric_limits<int64_t>::max()));
    }
    keys.push_back(key);
  }
  // A directory can be opened, and not be read.
  if (!input.is_open() || input.bad()) {
    return absl::ErrnoToStatus(errno == 0 ? EIO : errno,
                               absl::StrCat(flag, ": cannot read ", file));
  }
  return keys;
}

}  // namespace

void AddViewFlags(CLI::App* command, ViewFlags* flags) {
  command
      ->add_option("--split", flags->view.split,
                   "A split, a slice as in train[:10%], or all")
      ->capture_default_str();
  command->add_option("--classes", flags->view.classes, "Words, in label order")
      ->delimiter(',');
  command->add_option("--where", flags->where,
                      "A term such as \"recognized==1\"; may be given again, "
                      "all must hold");
  command
      ->add_option("--max-per-class", flags->view.max_per_class,
                   "Drawings; 0: no bound")
      ->transform(WholeNumber())
      ->capture_default_str();
  command
      ->add_option("--fraction", flags->view.fraction, "Of the view, in (0, 1]")
      ->capture_default_str();
  command->add_option("--fold", flags->fold,
                      "INDEX/COUNT, or INDEX/COUNT:held-out");
  command->add_option("--include-keys", flags->include_keys,
                      "FILE of the only key_ids that are wanted, one a line");
  command->add_option("--exclude-keys", flags->exclude_keys,
                      "FILE of key_ids that are left out, one a line");
}

absl::StatusOr<View> ViewOf(const ViewFlags& flags) {
  View view = flags.view;
  if (view.split == "all") view.split.clear();
  for (const std::string& text : flags.where) {
    absl::StatusOr<WhereTerm> term = TermOf(text);
    if (!term.ok()) return term.status();
    view.where.push_back(*std::move(term));
  }
  if (absl::Status status = SetFold(flags.fold, &view); !status.ok()) {
    return status;
  }
  return view;
}

absl::StatusOr<ViewKeys> KeysOf(const ViewFlags& flags) {
  ViewKeys keys;
  if (!flags.include_keys.empty()) {
    absl::StatusOr<std::vector<int64_t>> read =
        ReadKeys("--include-keys", flags.include_keys);
    if (!read.ok()) return read.status();
    if (read->empty()) {
      return Wrong("--include-keys", flags.include_keys,
                   "a file with at least one key_id: this one has none");
    }
    keys.include = *std::move(read);
  }
  if (!flags.exclude_keys.empty()) {
    absl::StatusOr<std::vector<int64_t>> read =
        ReadKeys("--exclude-keys", flags.exclude_keys);
    if (!read.ok()) return read.status();
    keys.exclude = *std::move(read);
  }
  return keys;
}

}  // namespace inkstream::app
