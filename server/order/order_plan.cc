#include "server/order/order_plan.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace inkstream::order {
namespace {

constexpr char kFirstLine[] = "inkstream order plan 1";
constexpr size_t kHashBytes = 16;
// Longer lists are replaced by their count and hash, so that a cursor stays a
// few hundred bytes.
constexpr size_t kListedWords = 16;
constexpr size_t kFingerprintDigits = 64;
constexpr char kSizeField[] = "size";
// A cursor comes from outside: its text is not worth more than this.
constexpr size_t kMaxCanonicalBytes = 64 << 10;

std::string HashHex(absl::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  // SHA-256 of a string fails only where OpenSSL has no SHA-256 at all; the
  // zero digest then matches no cursor made elsewhere.
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(),
             nullptr);
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(digest.data()), kHashBytes));
}

// Printable ASCII as it is; backslash, comma and every other byte as \xHH.
// Injective.
std::string Escape(absl::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c >= 0x20 && c < 0x7F && c != '\\' && c != ',') {
      escaped.push_back(c);
    } else {
      absl::StrAppend(&escaped, "\\x",
                      absl::BytesToHexString(absl::string_view(&c, 1)));
    }
  }
  return escaped;
}

std::string List(const std::vector<std::string>& words) {
  if (words.empty()) {
    return "*";
  }
  const std::string joined =
      absl::StrJoin(words, ",", [](std::string* out, const std::string& word) {
        out->append(Escape(word));
      });
  return words.size() <= kListedWords
             ? absl::StrCat("[", joined, "]")
             : absl::StrCat("#", words.size(), ":", HashHex(joined));
}

// The shortest decimal that reads back as the same number.
std::string Number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end.ptr);
}

// The view's terms that came later than the first plans: only those that are
// set, so that the plans and cursors from before are still the same.
std::string Terms(const ResolvedView& view) {
  std::string text;
  const auto add = [&](absl::string_view name, absl::string_view value) {
    if (!value.empty()) absl::StrAppend(&text, name, "=", value, "\n");
  };
  std::vector<std::string> where = view.where;
  std::sort(where.begin(), where.end());
  where.erase(std::unique(where.begin(), where.end()), where.end());
  add("slice", Escape(view.slice));
  add("fold", Escape(view.fold));
  add("where", where.empty() ? "" : List(where));
  add("fraction", view.fraction == 1 ? "" : Number(view.fraction));
  add("max_per_class",
      view.max_per_class == 0 ? "" : absl::StrCat(view.max_per_class));
  add("include_keys", Escape(view.include_keys));
  add("exclude_keys", Escape(view.exclude_keys));
  return text;
}

std::string ShuffleText(const OrderSpec& spec) {
  switch (spec.shuffle) {
    case ShuffleKind::kFull:
      return "full";
    case ShuffleKind::kWindow:
      return absl::StrCat("window:", spec.shuffle_window);
    case ShuffleKind::kNone:
      return "none";
  }
  return absl::StrCat("unknown:", static_cast<int>(spec.shuffle));
}

std::string SamplingText(const Sampling& sampling,
                         const std::vector<ResolvedView>& parts) {
  if (sampling.kind == SamplingKind::kUniform) return "sampling=uniform\n";
  if (sampling.kind == SamplingKind::kBalanced) {
    return absl::StrCat("sampling=balanced:", Number(sampling.alpha), "\n");
  }
  if (sampling.kind == SamplingKind::kDrawings) {
    return absl::StrCat("sampling=drawings:", Escape(sampling.drawings), "\n");
  }
  std::vector<std::string> weights;
  for (const double weight : sampling.weights) {
    weights.push_back(Number(weight));
  }
  if (sampling.kind == SamplingKind::kWeights) {
    return absl::StrCat("sampling=weights:", List(weights), "\n");
  }
  std::string text = absl::StrCat("sampling=mix:", List(weights), "\n");
  for (size_t i = 0; i < parts.size(); ++i) {
    const ResolvedView& part = parts[i];
    // A part's own lines, escaped to stand in one; labels are the stream's.
    std::vector<std::string> words = part.classes;
    std::sort(words.begin(), words.end());
    absl::StrAppend(&text, "mix[", i, "]=",
                    Escape(absl::StrReplaceAll(
                        absl::StrCat("split=", Escape(part.split_rule),
                                     "\nclasses=", List(words), "\n",
                                     Terms(part), "size=", part.size),
                        {{"\n", "; "}})),
                    "\n");
  }
  return text;
}

bool IsHex(absl::string_view text, size_t digits) {
  return text.size() == digits &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// What a message shows of a value: long or binary ones would drown it. Commas
// are escaped only for the hash's sake.
std::string Shown(absl::string_view value) {
  constexpr size_t kShown = 120;
  std::string shown = absl::CHexEscape(
      absl::StrReplaceAll(value.substr(0, kShown), {{"\\x2c", ","}}));
  return value.size() > kShown ? absl::StrCat(shown, "...") : shown;
}

struct Field {
  absl::string_view name;
  absl::string_view value;
};

Field SplitField(absl::string_view line) {
  const size_t equals = line.find('=');
  if (equals == absl::string_view::npos) {
    return {"version", line};
  }
  return {line.substr(0, equals), line.substr(equals + 1)};
}

absl::Status Differs(absl::string_view field, absl::string_view cursor,
                     absl::string_view stream) {
  return absl::FailedPreconditionError(
      absl::StrCat("the cursor belongs to another order: ", field, " was \"",
                   Shown(cursor), "\" where the cursor was made and is \"",
                   Shown(stream), "\" in this stream"));
}

std::vector<Field> FieldsOf(absl::string_view text) {
  std::vector<Field> fields;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!line.empty()) fields.push_back(SplitField(line));
  }
  return fields;
}

const Field* FieldNamed(const std::vector<Field>& fields,
                        absl::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

// The first field in which two canonical texts differ; a field that only one
// of them has counts as one. The size comes last: it follows from the others,
// unless only the data differ.
absl::Status FirstDifference(absl::string_view cursor,
                             absl::string_view stream) {
  const std::vector<Field> old_fields = FieldsOf(cursor);
  const std::vector<Field> new_fields = FieldsOf(stream);
  for (const Field& now : new_fields) {
    if (now.name == kSizeField) continue;
    const Field* const old = FieldNamed(old_fields, now.name);
    if (old == nullptr) return Differs(now.name, "(not set)", now.value);
    if (old->value != now.value)
      return Differs(now.name, old->value, now.value);
  }
  for (const Field& old : old_fields) {
    if (FieldNamed(new_fields, old.name) == nullptr) {
      return Differs(old.name, old.value, "(not set)");
    }
  }
  const Field* const old_size = FieldNamed(old_fields, kSizeField);
  const Field* const new_size = FieldNamed(new_fields, kSizeField);
  if (old_size != nullptr && new_size != nullptr &&
      old_size->value != new_size->value) {
    return Differs(kSizeField, old_size->value, new_size->value);
  }
  return absl::OkStatus();
}

}  // namespace

std::string CanonicalOrderPlan(const ResolvedView& view, const OrderSpec& spec,
                               const std::vector<ResolvedView>& parts) {
  return absl::StrCat(kFirstLine, "\n",                         //
                      "split=", Escape(view.split_rule), "\n",  //
                      "classes=", List(view.classes), "\n",     //
                      Terms(view),                              //
                      "size=", view.size, "\n",                 //
                      "seed=", spec.seed, "\n",                 //
                      "shuffle=", ShuffleText(spec), "\n",      //
                      SamplingText(spec.sampling, parts));
}

std::string OrderPlanHash(absl::string_view canonical) {
  return HashHex(canonical);
}

absl::Status CheckCursor(const Cursor& cursor, const std::string& fingerprint,
                         const std::string& canonical) {
  if (cursor.version != Cursor::kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("cursor.version = ", cursor.version,
                     " is not known; this server reads ", Cursor::kVersion));
  }
  if (!IsHex(cursor.fingerprint, kFingerprintDigits)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cursor.fingerprint = \"", Shown(cursor.fingerprint), "\" is not ",
        kFingerprintDigits, " lower-case hexadecimal digits"));
  }
  if (!IsHex(cursor.plan_hash, 2 * kHashBytes)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cursor.plan_hash = \"", Shown(cursor.plan_hash), "\" is not ",
        2 * kHashBytes, " lower-case hexadecimal digits"));
  }
  if (cursor.order_plan.size() > kMaxCanonicalBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("cursor.order_plan has ", cursor.order_plan.size(),
                     " bytes; the limit is ", kMaxCanonicalBytes));
  }
  if (!cursor.order_plan.empty() &&
      OrderPlanHash(cursor.order_plan) != cursor.plan_hash) {
    return absl::InvalidArgumentError(
        "cursor.order_plan is not the text that cursor.plan_hash was made "
        "from; send both as they were received, or leave order_plan out");
  }

  if (cursor.fingerprint != fingerprint) {
    return Differs("fingerprint", cursor.fingerprint, fingerprint);
  }
  for (absl::string_view line : absl::StrSplit(canonical, '\n')) {
    const std::string seed = absl::StrCat(cursor.seed);
    if (absl::ConsumePrefix(&line, "seed=") && line != seed) {
      return Differs("seed", seed, line);
    }
  }
  if (cursor.plan_hash == OrderPlanHash(canonical)) {
    return absl::OkStatus();
  }
  if (!cursor.order_plan.empty()) {
    if (absl::Status status = FirstDifference(cursor.order_plan, canonical);
        !status.ok()) {
      return status;
    }
  }
  absl::Status status =
      Differs("plan_hash", cursor.plan_hash, OrderPlanHash(canonical));
  return absl::FailedPreconditionError(
      absl::StrCat(status.message(),
                   "; send cursor.order_plan to learn which field differs "
                   "(split, classes, a term of the view, size, shuffle or "
                   "sampling)"));
}

}  // namespace inkstream::order
