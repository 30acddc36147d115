// The tokens file: who holds which token, and what it is good for. A line each:
//
//   NAME sha256:HEX DATASETS     DATASETS: A,B or * for all of them
//
// Blank lines and what follows a # are left out. Only a token's hash is in it:
// whoever reads the file can call nobody. A token is 256 bits of chance, so the
// hash needs neither salt nor rounds, which are for what people think up.
// Several lines may have one name, while a token is being replaced.
//
// Thread safety: immutable once it is made.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/transport/security/access.h"

namespace inkstream::transport {

class TokenTable {
 public:
  // INVALID_ARGUMENT names the line, and never what may be a token.
  static absl::StatusOr<TokenTable> Parse(absl::string_view text);

  // Null: nobody's. Takes as long for each of them, right or wrong.
  std::shared_ptr<const Access> Find(absl::string_view token) const;

  // Whether what `access` was given for still holds.
  bool Covers(const Access& access) const;

  size_t size() const { return lines_.size(); }

 private:
  std::vector<std::shared_ptr<const Access>> lines_;
};

// INVALID_ARGUMENT: no name that a line can have.
absl::Status CheckTokenName(absl::string_view name);

// From the kernel's random numbers; letters, digits, - and _.
std::string NewToken();

// `datasets`: none, all of them.
std::string TokenLine(const std::string& name, absl::string_view token,
                      const std::vector<std::string>& datasets);

}  // namespace inkstream::transport
