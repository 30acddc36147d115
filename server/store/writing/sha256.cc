#include "server/store/writing/sha256.h"

#include <openssl/evp.h>

#include <cstdlib>

#include "absl/strings/escaping.h"

namespace inkstream::store {

// The calls below fail only when memory ends or OpenSSL is built without
// SHA-256: there is nothing to report that could be acted upon.
Sha256::Sha256()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      context_(EVP_MD_CTX_new()) {
  if (EVP_DigestInit_ex2(context_, algorithm_, nullptr) != 1) std::abort();
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(context_);
  EVP_MD_free(algorithm_);
}

void Sha256::Update(absl::string_view bytes) {
  EVP_DigestUpdate(context_, bytes.data(), bytes.size());
}

Digest Sha256::Finish() {
  Digest digest;
  EVP_DigestFinal_ex(context_, digest.data(), nullptr);
  EVP_DigestInit_ex2(context_, nullptr, nullptr);
  return digest;
}

absl::string_view AsBytes(const Digest& digest) {
  return absl::string_view(reinterpret_cast<const char*>(digest.data()),
                           digest.size());
}

absl::string_view AsBytes(absl::Span<const Digest> digests) {
  static_assert(sizeof(Digest) == 32);
  return absl::string_view(reinterpret_cast<const char*>(digests.data()),
                           digests.size() * sizeof(Digest));
}

std::string ToHex(const Digest& digest) {
  return absl::BytesToHexString(AsBytes(digest));
}

}  // namespace inkstream::store
