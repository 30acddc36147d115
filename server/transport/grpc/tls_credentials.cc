// gRPC's own watcher of files takes a key for whatever certificate lies beside
// it at that moment, and has nothing to show from then on where they do not
// match. Its C interface can be asked for certificates before each handshake
// instead, and keeps the old ones where it does not take the new ones; for that
// there is no class in C++.
#include "server/transport/grpc/tls_credentials.h"

#include <grpc/grpc_security.h>
#include <grpcpp/version_info.h>

#include <utility>

#include "absl/base/optimization.h"

namespace inkstream::transport {
namespace {

// gRPC asks under a lock of its own.
struct Shown {
  const SecurityFiles* files;
  std::shared_ptr<const Certificates> last;
};

grpc_ssl_certificate_config_reload_status Show(
    void* data, grpc_ssl_server_certificate_config** config) {
  auto* const shown = static_cast<Shown*>(data);
  std::shared_ptr<const Certificates> now = shown->files->certificates();
  if (now == shown->last) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  shown->last = std::move(now);
  const grpc_ssl_pem_key_cert_pair pair = {shown->last->key.c_str(),
                                           shown->last->cert.c_str()};
  // gRPC must have authorities here even where it asks no client for anything.
  const std::string& ca = shown->last->client_ca;
  *config = grpc_ssl_server_certificate_config_create(
      ca.empty() ? pair.cert_chain : ca.c_str(), &pair, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

grpc_server_credentials* NewCredentials(Shown* shown) {
  return grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          shown->files->asks_for_certificates()
              ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
              : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
          &Show, shown));
}

// Newer releases have the C object in the base class, which does the rest.
#if GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR < 56

class Credentials final : public grpc::ServerCredentials {
 public:
  explicit Credentials(const SecurityFiles* files)
      : shown_{files, nullptr}, credentials_(NewCredentials(&shown_)) {}
  ~Credentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/)
      override {
    ABSL_ASSERT(false);  // callers are looked at by interceptors
  }

 private:
  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  Shown shown_;
  grpc_server_credentials* const credentials_;
};

#else

class Credentials final : private Shown, public grpc::ServerCredentials {
 public:
  explicit Credentials(const SecurityFiles* files)
      : Shown{files, nullptr}, grpc::ServerCredentials(NewCredentials(this)) {}
};

#endif

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(
    const SecurityFiles* files) {
  return std::make_shared<Credentials>(files);
}

}  // namespace inkstream::transport
