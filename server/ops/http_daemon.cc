#include "server/ops/http_daemon.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <vector>

namespace inkstream::ops {
namespace {

constexpr char kVersions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

}  // namespace

std::unique_ptr<HttpDaemon> HttpDaemon::Start(
    const HttpCallbacks& callbacks,
    const transport::Certificates* certificates) {
  std::vector<MHD_OptionItem> options = {
      {MHD_OPTION_CONNECTION_TIMEOUT, callbacks.seconds, nullptr},
      {MHD_OPTION_CONNECTION_LIMIT, callbacks.connections, nullptr}};
  unsigned int flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
                       MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME;
  if (certificates != nullptr) {
    flags |= MHD_USE_TLS;
    options.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0,
                       const_cast<char*>(certificates->cert.c_str())});
    options.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0,
                       const_cast<char*>(certificates->key.c_str())});
    options.push_back(
        {MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kVersions)});
  }
  options.push_back({MHD_OPTION_END, 0, nullptr});
  MHD_Daemon* const daemon = MHD_start_daemon(
      flags, 0, nullptr, nullptr, callbacks.on_request, callbacks.self,
      MHD_OPTION_NOTIFY_COMPLETED, callbacks.on_completed, callbacks.self,
      MHD_OPTION_ARRAY, options.data(), MHD_OPTION_END);
  if (daemon == nullptr) return nullptr;
  return std::unique_ptr<HttpDaemon>(new HttpDaemon(daemon));
}

HttpDaemon::~HttpDaemon() { MHD_stop_daemon(daemon_); }

void HttpDaemon::Add(int fd) const {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size);
  // Closes `fd` also where it fails.
  MHD_add_connection(daemon_, fd, reinterpret_cast<sockaddr*>(&address), size);
}

bool HttpDaemon::idle() const {
  return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
             ->num_connections == 0;
}

bool TlsDaemons::Renew() {
  const Clock::time_point now = Clock::now();
  // What was handed over at the last moment is still to be counted.
  const std::chrono::seconds settled(2 * callbacks_.seconds);
  retired_.remove_if([&](const Retired& one) {
    return now - one.since > settled && one.daemon->idle();
  });
  std::shared_ptr<const transport::Certificates> in_use = certificates_();
  if (in_use == seen_) return current_ != nullptr;
  seen_ = std::move(in_use);
  std::unique_ptr<HttpDaemon> next = HttpDaemon::Start(callbacks_, seen_.get());
  if (next == nullptr) {
    if (current_ != nullptr) {
      spdlog::warn(
          "--http: GnuTLS does not take the new certificates; the old ones "
          "stay in use there");
    }
    return current_ != nullptr;
  }
  if (current_ != nullptr) retired_.push_back({std::move(current_), now});
  current_ = std::move(next);
  return true;
}

void TlsDaemons::Add(int fd) {
  Renew();
  current_->Add(fd);
}

}  // namespace inkstream::ops
