#include "server/ingest/error_log.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/json.h"
#include "server/base/json_text.h"

namespace inkstream::ingest {
namespace {

// In the order of ErrorKind.
constexpr std::array<absl::string_view, kErrorKinds> kNames = {
    "broken_json",    "not_an_object", "not_a_number",    "bad_number",
    "invalid_utf8",   "nul_byte",      "too_deep",        "line_too_long",
    "duplicate_key",  "no_drawing",    "bad_drawing",     "no_strokes",
    "empty_stroke",   "unequal_xy",    "not_whole",       "out_of_range",
    "too_large",      "bad_word",      "bad_countrycode", "bad_timestamp",
    "bad_recognized", "bad_key_id",    "bad_row",         "bad_split",
    "unknown_word",
};

}  // namespace

absl::string_view ErrorKindName(ErrorKind kind) {
  return kNames[static_cast<size_t>(kind)];
}

ErrorKind KindOfStoreRule(absl::string_view message) {
  if (absl::StartsWith(message, "word")) return ErrorKind::kBadWord;
  if (absl::StartsWith(message, "country")) return ErrorKind::kBadCountrycode;
  if (absl::StartsWith(message, "timestamp")) return ErrorKind::kBadTimestamp;
  if (absl::StartsWith(message, "key_id")) return ErrorKind::kBadKeyId;
  if (absl::StartsWith(message, "split")) return ErrorKind::kBadSplit;
  return ErrorKind::kTooLarge;
}

void ErrorLog::Add(ErrorKind kind, size_t file, uint64_t line, uint64_t offset,
                   absl::string_view reason, absl::string_view input) {
  ++total_;
  if (++counts_[static_cast<size_t>(kind)] > kExamplesPerKind) return;
  examples_.push_back({file, line, offset, kind, std::string(reason),
                       PrintableText(input, kMaxInputCharacters)});
}

void ErrorLog::Merge(const ErrorLog& later) {
  std::array<uint64_t, kErrorKinds> kept = {};
  for (size_t k = 0; k < kErrorKinds; ++k) {
    kept[k] = std::min<uint64_t>(counts_[k], kExamplesPerKind);
    counts_[k] += later.counts_[k];
  }
  total_ += later.total_;
  for (const ErrorExample& example : later.examples_) {
    if (++kept[static_cast<size_t>(example.kind)] <= kExamplesPerKind) {
      examples_.push_back(example);
    }
  }
}

Json ErrorLog::CountsByKind() const {
  Json counts = Json::object();
  for (size_t k = 0; k < kErrorKinds; ++k) {
    if (counts_[k] > 0) counts[std::string(kNames[k])] = counts_[k];
  }
  return counts;
}

std::string ErrorLog::ToJson(uint64_t read, uint64_t kept,
                             const std::vector<std::string>& files) const {
  Json examples = Json::array();
  for (const ErrorExample& example : examples_) {
    examples.push_back({{"file", files[example.file]},
                        {"line", example.line},
                        {"offset", example.offset},
                        {"kind", std::string(ErrorKindName(example.kind))},
                        {"reason", example.reason},
                        {"input", example.input}});
  }
  const Json json = {{"read", read},
                     {"kept", kept},
                     {"skipped", total_},
                     {"by_kind", CountsByKind()},
                     {"examples", std::move(examples)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json ErrorLog::Save() const {
  Json examples = Json::array();
  for (const ErrorExample& example : examples_) {
    examples.push_back({static_cast<int>(example.kind), example.file,
                        example.line, example.offset, example.reason,
                        example.input});
  }
  return {{"counts", counts_}, {"examples", std::move(examples)}};
}

ErrorLog ErrorLog::Saved(const Json& json) {
  ErrorLog log;
  log.counts_ = json.at("counts").get<decltype(log.counts_)>();
  log.total_ =
      std::accumulate(log.counts_.begin(), log.counts_.end(), uint64_t{0});
  for (const Json& example : json.at("examples")) {
    log.examples_.push_back({example.at(1), example.at(2), example.at(3),
                             static_cast<ErrorKind>(example.at(0).get<int>()),
                             example.at(4).get<std::string>(),
                             example.at(5).get<std::string>()});
  }
  return log;
}

std::string ErrorLog::Summary() const {
  std::string text;
  for (size_t k = 0; k < kErrorKinds; ++k) {
    if (counts_[k] == 0) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", kNames[k], ": ",
                    counts_[k]);
  }
  return text;
}

}  // namespace inkstream::ingest
