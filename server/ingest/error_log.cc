#include "server/ingest/error_log.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/json_text.h"
#include "server/store/segment/endian_io.h"

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

std::string ErrorLog::ToJson(uint64_t read, uint64_t kept,
                             const std::vector<std::string>& files) const {
  std::string json =
      absl::StrCat("{\"read\": ", read, ", \"kept\": ", kept,
                   ", \"skipped\": ", total_, ", \"by_kind\": {");
  const char* separator = "";
  for (size_t k = 0; k < kErrorKinds; ++k) {
    if (counts_[k] == 0) continue;
    absl::StrAppend(&json, separator, "\"", kNames[k], "\": ", counts_[k]);
    separator = ", ";
  }
  absl::StrAppend(&json, "}, \"examples\": [");
  separator = "\n";
  for (const ErrorExample& example : examples_) {
    absl::StrAppend(&json, separator, "{\"file\": ");
    AppendJsonString(files[example.file], &json);
    absl::StrAppend(&json, ", \"line\": ", example.line,
                    ", \"offset\": ", example.offset, ", \"kind\": \"",
                    ErrorKindName(example.kind), "\", \"reason\": ");
    AppendJsonString(example.reason, &json);
    absl::StrAppend(&json, ", \"input\": ");
    AppendJsonString(example.input, &json);
    absl::StrAppend(&json, "}");
    separator = ",\n";
  }
  absl::StrAppend(&json, "]}\n");
  return json;
}

std::string ErrorLog::Serialize() const {
  std::string out;
  if (total_ == 0) return out;
  const auto text = [&](absl::string_view bytes) {
    store::AppendLittle<uint32_t>(static_cast<uint32_t>(bytes.size()), &out);
    out.append(bytes.data(), bytes.size());
  };
  for (const uint64_t count : counts_) store::AppendLittle(count, &out);
  for (const ErrorExample& example : examples_) {
    store::AppendLittle<uint8_t>(static_cast<uint8_t>(example.kind), &out);
    store::AppendLittle<uint64_t>(example.file, &out);
    store::AppendLittle<uint64_t>(example.line, &out);
    store::AppendLittle<uint64_t>(example.offset, &out);
    text(example.reason);
    text(example.input);
  }
  return out;
}

bool ErrorLog::Parse(absl::string_view bytes) {
  *this = ErrorLog();
  if (bytes.empty()) return true;
  store::LittleReader in(bytes);
  for (uint64_t& count : counts_) {
    count = in.Read<uint64_t>();
    total_ += count;
  }
  while (in.ok() && in.remaining() > 0) {
    ErrorExample& example = examples_.emplace_back();
    const uint8_t kind = in.Read<uint8_t>();
    if (kind >= kErrorKinds) return false;
    example.kind = static_cast<ErrorKind>(kind);
    example.file = in.Read<uint64_t>();
    example.line = in.Read<uint64_t>();
    example.offset = in.Read<uint64_t>();
    for (std::string* text : {&example.reason, &example.input}) {
      const absl::string_view raw = in.ReadBytes(in.Read<uint32_t>());
      text->assign(raw.data(), raw.size());
    }
  }
  return in.ok();
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
