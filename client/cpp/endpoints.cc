#include "client/cpp/endpoints.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "client/cpp/channel_arguments.h"

namespace inkstream::client {
namespace {

absl::Status CheckTarget(absl::string_view target) {
  if (absl::StartsWith(target, "unix:")) {
    return target.size() > 5
               ? absl::OkStatus()
               : absl::InvalidArgumentError("target \"unix:\" has no path");
  }
  if (absl::StrContains(target, "://") && !absl::StartsWith(target, "dns://")) {
    return absl::InvalidArgumentError(
        absl::StrCat("target \"", target,
                     "\" is not host:port, dns:///host:port or unix:/path"));
  }
  const size_t colon = target.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(target.substr(colon + 1), &port) || port < 1 ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("target \"", target,
                     "\" has no port of 1..65535; write it as host:50051"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<Endpoints>> Endpoints::Create(
    const std::vector<std::string>& targets, uint32_t max_message_bytes) {
  if (targets.empty()) {
    return absl::InvalidArgumentError(
        "no target; name at least one, as host:50051 or unix:/path");
  }
  for (const std::string& target : targets) {
    if (absl::Status status = CheckTarget(target); !status.ok()) {
      return status;
    }
  }
  return std::shared_ptr<Endpoints>(new Endpoints(targets, max_message_bytes));
}

Endpoints::Endpoints(std::vector<std::string> targets,
                     uint32_t max_message_bytes)
    : targets_(std::move(targets)), max_message_bytes_(max_message_bytes) {}

std::string Endpoints::target() const {
  MutexLock lock(&mutex_);
  return targets_[current_];
}

std::shared_ptr<grpc::Channel> Endpoints::NewChannel() const {
  return grpc::CreateCustomChannel(
      targets_[current_], grpc::InsecureChannelCredentials(),
      ChannelArgumentsFor(targets_[current_], max_message_bytes_));
}

std::shared_ptr<grpc::Channel> Endpoints::channel() {
  MutexLock lock(&mutex_);
  if (channel_ == nullptr) {
    channel_ = NewChannel();
  }
  return channel_;
}

void Endpoints::Advance(const std::shared_ptr<grpc::Channel>& failed) {
  MutexLock lock(&mutex_);
  if (channel_ == failed) {
    current_ = (current_ + 1) % targets_.size();
    channel_ = NewChannel();
  }
}

absl::Status Endpoints::WaitForConnected(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  // Each target gets an equal share of the time, at most a second a turn, so
  // that one that drops packets does not hide the others.
  const absl::Duration turn =
      std::min(absl::Seconds(1), timeout / static_cast<int64_t>(size()));
  for (;;) {
    const std::shared_ptr<grpc::Channel> current = channel();
    const absl::Time until =
        size() == 1 ? deadline : std::min(deadline, absl::Now() + turn);
    if (current->WaitForConnected(absl::ToChronoTime(until))) {
      return absl::OkStatus();
    }
    if (absl::Now() >= deadline) {
      return absl::UnavailableError(
          absl::StrCat("no server answers at ", absl::StrJoin(targets_, ", "),
                       " within ", absl::FormatDuration(timeout)));
    }
    Advance(current);
  }
}

}  // namespace inkstream::client
