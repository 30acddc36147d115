#include "server/order/order_plan.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace inkstream::order {
namespace {

constexpr char kFirstLine[] = "inkstream order plan 1";
constexpr size_t kHashBytes = 16;
// Longer lists are replaced by their count and hash, so that a cursor stays a
// few hundred bytes.
constexpr size_t kListedWords = 16;
constexpr size_t kFingerprintDigits = 64;
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

bool IsHex(absl::string_view text, size_t digits) {
  return text.size() == digits &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// What a message shows of a value: long or binary ones would drown it.
std::string Shown(absl::string_view value) {
  constexpr size_t kShown = 120;
  std::string shown = absl::CHexEscape(value.substr(0, kShown));
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

// The first line in which two canonical texts differ.
absl::Status FirstDifference(absl::string_view cursor,
                             absl::string_view stream) {
  const std::vector<absl::string_view> old_lines = absl::StrSplit(cursor, '\n');
  const std::vector<absl::string_view> new_lines = absl::StrSplit(stream, '\n');
  for (size_t i = 0; i < std::max(old_lines.size(), new_lines.size()); ++i) {
    const Field old_field =
        i < old_lines.size() ? SplitField(old_lines[i]) : Field{};
    const Field new_field =
        i < new_lines.size() ? SplitField(new_lines[i]) : Field{};
    if (old_field.name != new_field.name) {
      return Differs("the list of fields", old_field.name, new_field.name);
    }
    if (old_field.value != new_field.value) {
      return Differs(new_field.name, old_field.value, new_field.value);
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string CanonicalOrderPlan(const ResolvedView& view,
                               const OrderSpec& spec) {
  return absl::StrCat(kFirstLine, "\n",                         //
                      "split=", Escape(view.split_rule), "\n",  //
                      "classes=", List(view.classes), "\n",     //
                      "size=", view.size, "\n",                 //
                      "seed=", spec.seed, "\n",                 //
                      "shuffle=", ShuffleText(spec), "\n",      //
                      "sampling=uniform\n");
}

std::string OrderPlanHash(const std::string& canonical) {
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
                   "(split, classes, size, shuffle or sampling)"));
}

}  // namespace inkstream::order
