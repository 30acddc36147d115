#include "server/transport/security/certificate_files.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/transport/security/secret_file.h"

namespace inkstream::transport {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freer<&BIO_free_all>>;
using X509Certificate = std::unique_ptr<X509, Freer<&X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<&EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Freer<&SSL_CTX_free>>;

// A key with a passphrase would have OpenSSL ask at a terminal.
int NoPassphrase(char* /*to*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return 0;
}

std::string WhyNot() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(error);
  return reason == nullptr ? "OpenSSL does not take it" : reason;
}

absl::Status Wrong(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", why));
}

Bio Reading(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

absl::StatusOr<std::vector<X509Certificate>> CertificatesIn(
    const std::string& path, const std::string& pem) {
  const Bio bio = Reading(pem);
  std::vector<X509Certificate> found;
  for (;;) {
    X509Certificate next(
        PEM_read_bio_X509(bio.get(), nullptr, &NoPassphrase, nullptr));
    if (next == nullptr) break;
    found.push_back(std::move(next));
  }
  // What ends the reading well is that there is no further one.
  const bool at_end =
      ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = WhyNot();
  if (found.empty() && at_end) return Wrong(path, "has no certificate in PEM");
  if (!at_end) return Wrong(path, why);
  return found;
}

std::time_t ExpiryOf(const X509* certificate) {
  std::tm when = {};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) != 1) return 0;
  return timegm(&when);
}

}  // namespace

absl::StatusOr<Certificates> LoadCertificates(const CertificatePaths& paths) {
  Certificates loaded;
  for (const auto& [path, text] : {std::pair(&paths.cert, &loaded.cert),
                                   {&paths.key, &loaded.key},
                                   {&paths.client_ca, &loaded.client_ca}}) {
    if (path->empty()) continue;
    absl::StatusOr<std::string> read = ReadSecretFile(*path);
    if (!read.ok()) return read.status();
    *text = *std::move(read);
  }
  ERR_clear_error();
  auto chain = CertificatesIn(paths.cert, loaded.cert);
  if (!chain.ok()) return chain.status();
  const Bio bio = Reading(loaded.key);
  const Key key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr));
  if (key == nullptr) {
    ERR_clear_error();
    return Wrong(paths.key, "has no private key in PEM without a passphrase");
  }
  // As gRPC will: a certificate may be one that OpenSSL finds too weak.
  const Context context(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_certificate(context.get(), chain->front().get()) != 1) {
    return Wrong(paths.cert, WhyNot());
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return Wrong(paths.key, absl::StrCat("is not the key of ", paths.cert, ": ",
                                         WhyNot()));
  }
  loaded.expires = ExpiryOf(chain->front().get());
  if (paths.client_ca.empty()) return loaded;
  auto authorities = CertificatesIn(paths.client_ca, loaded.client_ca);
  if (!authorities.ok()) return authorities.status();
  for (const X509Certificate& one : *authorities) {
    const std::time_t expires = ExpiryOf(one.get());
    loaded.client_ca_expires =
        loaded.client_ca_expires == 0
            ? expires
            : std::min(loaded.client_ca_expires, expires);
  }
  return loaded;
}

}  // namespace inkstream::transport
