// SHA-256 without an allocation a digest.
//
// Thread safety: one thread an object.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

struct evp_md_ctx_st;
struct evp_md_st;

namespace inkstream::store {

using Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(absl::string_view bytes);
  // The digest of what came since construction or the last Finish.
  Digest Finish();

 private:
  evp_md_st* algorithm_;
  evp_md_ctx_st* context_;
};

absl::string_view AsBytes(const Digest& digest);
absl::string_view AsBytes(absl::Span<const Digest> digests);
std::string ToHex(const Digest& digest);  // lower case, 64 characters

}  // namespace inkstream::store
