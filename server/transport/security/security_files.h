// What a server proves itself with, and knows its callers by: files, looked at
// every second.
//
// Looked at and not subscribed to: kubelet swaps a symbolic link two levels up,
// other machines write to network file systems, and inotify tells of neither
// without help.
//
// Thread safety: every method may be called from any thread, but the first two
// from one. A thread of its own looks.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "server/transport/security/certificate_files.h"
#include "server/transport/security/reloaded_files.h"
#include "server/transport/security/security_figures.h"
#include "server/transport/security/token_table.h"

namespace inkstream::transport {

struct SecurityPaths {
  CertificatePaths tls;  // cert "": plaintext
  std::string tokens;    // "": callers need none
};

class SecurityFiles {
 public:
  // INVALID_ARGUMENT and others name the file that is no good.
  static absl::StatusOr<std::unique_ptr<SecurityFiles>> Load(
      const SecurityPaths& paths);
  // `tokens_changed` is called by the thread that looks. Before the first
  // change, and with null before what it uses goes.
  void OnTokensChanged(std::function<void()> tokens_changed);

  SecurityFiles(const SecurityFiles&) = delete;
  SecurityFiles& operator=(const SecurityFiles&) = delete;

  // At once, and not at the next second.
  void LookNow();

  bool encrypts() const { return tls_.has_value(); }
  bool asks_for_certificates() const { return asks_for_certificates_; }
  bool asks_for_tokens() const { return tokens_.has_value(); }

  // REQUIRES: encrypts().
  std::shared_ptr<const Certificates> certificates() const {
    return tls_->content();
  }
  // REQUIRES: asks_for_tokens().
  std::shared_ptr<const TokenTable> tokens() const {
    return tokens_->content();
  }

  SecurityFigures figures() const;

 private:
  explicit SecurityFiles(const SecurityPaths& paths);
  void Run(const std::stop_token& stop);
  void Look();

  const bool asks_for_certificates_;
  std::optional<ReloadedFiles<Certificates>> tls_;
  std::optional<ReloadedFiles<TokenTable>> tokens_;
  std::mutex mu_;
  std::condition_variable_any wake_;
  bool look_now_ = false;                 // by mu_
  std::mutex told_mu_;                    // held while it is called
  std::function<void()> tokens_changed_;  // by told_mu_
  std::jthread thread_;                   // last: it uses everything above
};

}  // namespace inkstream::transport
