#include "server/transport/security/token_table.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace inkstream::transport {
namespace {

constexpr absl::string_view kHash = "sha256:";
// So that scanners for leaked secrets, and people, know what it is.
constexpr absl::string_view kPrefix = "ink_";
constexpr size_t kTokenBytes = 32;
constexpr size_t kLongestName = 64;
// A header may have 8 KiB; what is longer is no token of ours.
constexpr size_t kLongestToken = 512;

TokenHash HashOf(absl::string_view token) {
  TokenHash hash;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         hash.data());
  return hash;
}

absl::Status ParseHash(absl::string_view text, TokenHash* hash) {
  const bool hexadecimal =
      absl::ConsumePrefix(&text, kHash) && text.size() == 2 * hash->size() &&
      std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isxdigit(static_cast<unsigned char>(c));
      });
  if (!hexadecimal) {
    return absl::InvalidArgumentError(
        "the second word is not sha256: and 64 hexadecimal digits; "
        "`inkstream token` prints such lines");
  }
  const std::string bytes = absl::HexStringToBytes(text);
  std::copy(bytes.begin(), bytes.end(), hash->begin());
  return absl::OkStatus();
}

absl::StatusOr<Access> ParseLine(absl::string_view line) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() != 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has ", words.size(), " words; NAME sha256:HEX DATASETS are three"));
  }
  absl::Status status = CheckTokenName(words[0]);
  if (!status.ok()) return status;
  Access access;
  access.caller = absl::StrCat("token:", words[0]);
  status = ParseHash(words[1], &access.token);
  if (!status.ok()) return status;
  access.all_datasets = words[2] == "*";
  if (access.all_datasets) return access;
  for (const absl::string_view dataset : absl::StrSplit(words[2], ',')) {
    if (dataset.empty() || dataset == "*") {
      return absl::InvalidArgumentError(
          "the third word is neither * nor names of datasets with commas "
          "between them");
    }
    access.datasets.emplace(dataset);
  }
  return access;
}

}  // namespace

absl::StatusOr<TokenTable> TokenTable::Parse(absl::string_view text) {
  TokenTable table;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    absl::StatusOr<Access> access = ParseLine(line);
    if (!access.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", access.status().message()));
    }
    for (const auto& other : table.lines_) {
      if (other->token == access->token) {
        return absl::InvalidArgumentError(
            absl::StrCat("line ", number, ": the token of ", access->caller,
                         " is that of ", other->caller, " above"));
      }
    }
    table.lines_.push_back(std::make_shared<const Access>(*std::move(access)));
  }
  return table;
}

std::shared_ptr<const Access> TokenTable::Find(absl::string_view token) const {
  const TokenHash hash = HashOf(token.substr(0, kLongestToken));
  std::shared_ptr<const Access> found;
  for (const auto& line : lines_) {
    if (CRYPTO_memcmp(hash.data(), line->token.data(), hash.size()) == 0) {
      found = line;
    }
  }
  return found;
}

bool TokenTable::Covers(const Access& access) const {
  return std::any_of(lines_.begin(), lines_.end(), [&](const auto& line) {
    return line->token == access.token && line->caller == access.caller &&
           line->MayAll(access);
  });
}

absl::Status CheckTokenName(absl::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
           c == '_' || c == '.';
  });
  if (!name.empty() && name.size() <= kLongestName && plain) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the name of a token is 1 to ", kLongestName,
                   " letters, digits, '-', '_' and '.'"));
}

std::string NewToken() {
  std::array<char, kTokenBytes> bytes;
  for (size_t have = 0; have < bytes.size();) {
    const ssize_t got = getrandom(bytes.data() + have, bytes.size() - have, 0);
    if (got < 0 && errno != EINTR) std::abort();  // no kernel does that
    if (got > 0) have += got;
  }
  return absl::StrCat(kPrefix,
                      absl::WebSafeBase64Escape({bytes.data(), bytes.size()}));
}

std::string TokenLine(const std::string& name, absl::string_view token,
                      const std::vector<std::string>& datasets) {
  const TokenHash hash = HashOf(token);
  const absl::string_view bytes(reinterpret_cast<const char*>(hash.data()),
                                hash.size());
  return absl::StrCat(name, " ", kHash, absl::BytesToHexString(bytes), " ",
                      datasets.empty() ? "*" : absl::StrJoin(datasets, ","));
}

}  // namespace inkstream::transport
