#include "server/transport/security/security_files.h"

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

constexpr std::chrono::seconds kBetweenLooks(1);

absl::StatusOr<Certificates> ReadCertificates(const CertificatePaths& paths,
                                              const Certificates* now) {
  absl::StatusOr<Certificates> loaded = LoadCertificates(paths);
  if (!loaded.ok()) return loaded;
  const std::time_t moment = std::time(nullptr);
  if (loaded->expires > moment) return loaded;
  const std::string expired = absl::StrCat(paths.cert, " has expired");
  if (now != nullptr && now->expires > moment) {
    return absl::InvalidArgumentError(
        absl::StrCat(expired, "; the one in use has not"));
  }
  // It may be the clock that is wrong, and clients say so loudly enough.
  spdlog::warn("{}: clients will refuse it", expired);
  return loaded;
}

absl::StatusOr<TokenTable> ReadTokens(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSecretFile(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<TokenTable> table = TokenTable::Parse(*text);
  if (table.ok()) return table;
  return absl::Status(table.status().code(),
                      absl::StrCat(path, ": ", table.status().message()));
}

}  // namespace

SecurityFiles::SecurityFiles(const SecurityPaths& paths)
    : asks_for_certificates_(!paths.tls.client_ca.empty()) {
  if (!paths.tls.cert.empty()) {
    std::vector<std::string> files = {paths.tls.cert, paths.tls.key};
    if (asks_for_certificates_) files.push_back(paths.tls.client_ca);
    tls_.emplace("certificates", std::move(files),
                 [tls = paths.tls](const Certificates* now) {
                   return ReadCertificates(tls, now);
                 });
  }
  if (!paths.tokens.empty()) {
    tokens_.emplace("tokens", std::vector<std::string>{paths.tokens},
                    [path = paths.tokens](const TokenTable* /*now*/) {
                      return ReadTokens(path);
                    });
  }
}

absl::StatusOr<std::unique_ptr<SecurityFiles>> SecurityFiles::Load(
    const SecurityPaths& paths) {
  if (paths.tls.cert.empty() != paths.tls.key.empty()) {
    return absl::InvalidArgumentError(
        "--tls-cert and --tls-key go together, and one of them is not set");
  }
  if (!paths.tls.client_ca.empty() && paths.tls.cert.empty()) {
    return absl::InvalidArgumentError(
        "--tls-client-ca is for TLS; set --tls-cert and --tls-key too");
  }
  std::unique_ptr<SecurityFiles> files(new SecurityFiles(paths));
  if (files->tls_.has_value()) {
    absl::Status status = files->tls_->Load();
    if (!status.ok()) return status;
  }
  if (files->tokens_.has_value()) {
    absl::Status status = files->tokens_->Load();
    if (!status.ok()) return status;
  }
  files->thread_ = std::jthread(
      [self = files.get()](const std::stop_token& stop) { self->Run(stop); });
  return files;
}

void SecurityFiles::OnTokensChanged(std::function<void()> tokens_changed) {
  const std::lock_guard<std::mutex> lock(told_mu_);
  tokens_changed_ = std::move(tokens_changed);
}

void SecurityFiles::LookNow() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    look_now_ = true;
  }
  wake_.notify_one();
}

void SecurityFiles::Run(const std::stop_token& stop) {
  std::unique_lock<std::mutex> lock(mu_);
  for (;;) {
    wake_.wait_for(lock, stop, kBetweenLooks, [this] { return look_now_; });
    if (stop.stop_requested()) return;
    look_now_ = false;
    lock.unlock();
    Look();
    lock.lock();
  }
}

void SecurityFiles::Look() {
  if (tls_.has_value()) tls_->Look();
  if (!tokens_.has_value() || !tokens_->Look()) return;
  const std::lock_guard<std::mutex> lock(told_mu_);
  if (tokens_changed_ != nullptr) tokens_changed_();
}

SecurityFigures SecurityFiles::figures() const {
  SecurityFigures figures;
  if (tls_.has_value()) {
    figures.tls = {tls_->good(), tls_->since()};
    const std::shared_ptr<const Certificates> in_use = tls_->content();
    figures.expires = in_use->expires;
    figures.client_ca_expires = in_use->client_ca_expires;
  }
  if (tokens_.has_value()) {
    figures.tokens = {tokens_->good(), tokens_->since()};
    figures.token_count = tokens_->content()->size();
  }
  return figures;
}

}  // namespace inkstream::transport
