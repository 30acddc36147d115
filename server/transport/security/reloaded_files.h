// What some files hold, read again whenever one of them has become another one.
// Where they cannot be read, or hold what is no good, what they held before
// stays in use: a certificate and its key are replaced one after the other, and
// are no pair for a moment.
//
// Thread safety: Load and Look from one thread at a time; the rest from any.
#pragma once

#include <spdlog/spdlog.h>

#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/transport/security/secret_file.h"

namespace inkstream::transport {

template <typename Content>
class ReloadedFiles {
 public:
  // `read` makes an error of what is no good. `now`: what is in use; null: this
  // is the start.
  using Read = std::function<absl::StatusOr<Content>(const Content* now)>;

  // `what`: what the files are, for the log.
  ReloadedFiles(std::string what, std::vector<std::string> paths, Read read)
      : what_(std::move(what)),
        paths_(std::move(paths)),
        read_(std::move(read)) {}

  // At the start, where there is nothing that could stay in use.
  absl::Status Load() {
    seen_ = Identities();
    absl::StatusOr<Content> content = read_(nullptr);
    if (!content.ok()) return content.status();
    Take(*std::move(content));
    return absl::OkStatus();
  }

  // True: there is new content.
  bool Look() {
    // Before they are read: what changes meanwhile is seen the next time.
    std::vector<FileIdentity> found = Identities();
    if (found == seen_) return false;
    seen_ = std::move(found);
    absl::StatusOr<Content> content = read_(content_.get());
    if (content.ok()) {
      Take(*std::move(content));
      spdlog::info("{}: read again, and in use from now on", what_);
      return true;
    }
    spdlog::warn("{}: what was read before stays in use: {}", what_,
                 std::string(content.status().message()));
    const std::lock_guard<std::mutex> lock(mu_);
    good_ = false;
    return false;
  }

  std::shared_ptr<const Content> content() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return content_;
  }
  // The files hold what is in use.
  bool good() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return good_;
  }
  // When that was read, in seconds since 1970.
  std::time_t since() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return since_;
  }

 private:
  std::vector<FileIdentity> Identities() const {
    std::vector<FileIdentity> found;
    for (const std::string& path : paths_) {
      found.push_back(IdentityOfFile(path));
    }
    return found;
  }

  void Take(Content content) {
    auto taken = std::make_shared<const Content>(std::move(content));
    const std::lock_guard<std::mutex> lock(mu_);
    content_ = std::move(taken);
    good_ = true;
    since_ = std::time(nullptr);
  }

  const std::string what_;
  const std::vector<std::string> paths_;
  const Read read_;
  std::vector<FileIdentity> seen_;
  mutable std::mutex mu_;
  std::shared_ptr<const Content> content_;  // by mu_; written by Look() alone
  bool good_ = false;                       // by mu_
  std::time_t since_ = 0;                   // by mu_
};

}  // namespace inkstream::transport
