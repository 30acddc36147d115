// Threads of libmicrohttpd that answer the connections which they are given.
//
// Thread safety: one thread at a time.
#pragma once

#include <microhttpd.h>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <utility>

#include "server/transport/security/certificate_files.h"

namespace inkstream::ops {

struct HttpCallbacks {
  MHD_AccessHandlerCallback on_request;
  MHD_RequestCompletedCallback on_completed;
  void* self;
  // What a connection may be without a byte for, and how many there may be.
  unsigned int seconds;
  unsigned int connections;
};

class HttpDaemon {
 public:
  // `certificates`: by TLS, with these; null: in plaintext. Null: libmicrohttpd
  // has no thread, or does not take them.
  static std::unique_ptr<HttpDaemon> Start(
      const HttpCallbacks& callbacks,
      const transport::Certificates* certificates);

  // Closes every connection.
  ~HttpDaemon();

  // Takes `fd` over.
  void Add(int fd) const;
  // Whether it has no connection.
  bool idle() const;

 private:
  explicit HttpDaemon(MHD_Daemon* daemon) : daemon_(daemon) {}

  MHD_Daemon* const daemon_;
};

// The certificates in use, which may be others by the next call.
using CertificatesInUse =
    std::function<std::shared_ptr<const transport::Certificates>()>;

// Shows those that are in use when a connection comes. A daemon has one for
// life, so there is another one for each, and the last ones finish what they
// have.
class TlsDaemons {
 public:
  TlsDaemons(const HttpCallbacks& callbacks, CertificatesInUse certificates)
      : callbacks_(callbacks), certificates_(std::move(certificates)) {}

  // False: the certificates in use are not taken, and were none before.
  bool Renew();
  // Takes `fd` over. REQUIRES: Renew() was true once.
  void Add(int fd);

 private:
  using Clock = std::chrono::steady_clock;

  struct Retired {
    std::unique_ptr<HttpDaemon> daemon;
    Clock::time_point since;
  };

  const HttpCallbacks callbacks_;
  const CertificatesInUse certificates_;
  std::shared_ptr<const transport::Certificates> seen_;
  std::unique_ptr<HttpDaemon> current_;
  std::list<Retired> retired_;
};

}  // namespace inkstream::ops
