#include "client/cpp/call/endpoints.h"

#include <inkstream/v1/service.grpc.pb.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/call/target.h"
#include "client/cpp/moment.h"

namespace inkstream::client {
namespace {

// Of one that is not connected; gRPC tells the reason to nobody but a call.
std::string WhyNot(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  context.set_deadline((Moment::Now() + absl::Seconds(1)).ByWallClock());
  v1::ListDatasetsResponse response;
  const grpc::Status status =
      v1::DrawingService::NewStub(channel)->ListDatasets(&context, {},
                                                         &response);
  return status.error_code() == grpc::StatusCode::UNAVAILABLE
             ? status.error_message()
             : "";
}

}  // namespace

absl::StatusOr<std::shared_ptr<Endpoints>> Endpoints::Create(
    const std::vector<std::string>& targets,
    std::shared_ptr<const ChannelMaker> maker) {
  if (targets.empty()) {
    return absl::InvalidArgumentError(
        "no target; name at least one, as host:50051 or unix:/path");
  }
  std::vector<std::string> all;
  for (const std::string& target : targets) {
    absl::StatusOr<std::vector<std::string>> found = EndpointsOf(target);
    if (!found.ok()) return found.status();
    for (std::string& one : *found) {
      absl::Status status = maker->Check(one);
      if (!status.ok()) return status;
      all.push_back(std::move(one));
    }
  }
  return std::shared_ptr<Endpoints>(
      new Endpoints(std::move(all), std::move(maker)));
}

Endpoints::Endpoints(std::vector<std::string> targets,
                     std::shared_ptr<const ChannelMaker> maker)
    : targets_(std::move(targets)), maker_(std::move(maker)) {}

size_t Endpoints::tries() const {
  return targets_.size() +
         std::count_if(targets_.begin(), targets_.end(),
                       [](const std::string& one) { return IsName(one); });
}

std::string Endpoints::target() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return targets_[current_];
}

std::shared_ptr<grpc::Channel> Endpoints::channel() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (channel_ == nullptr) {
    channel_ = maker_->Make(targets_[current_]);
  }
  return channel_;
}

void Endpoints::Advance(const std::shared_ptr<grpc::Channel>& failed) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (channel_ == failed) {
    current_ = (current_ + 1) % targets_.size();
    channel_ = maker_->Make(targets_[current_]);
  }
}

absl::Status Endpoints::WaitForConnected(absl::Duration timeout) {
  const Moment deadline = Moment::Now() + timeout;
  // Each target gets an equal share of the time, at most a second a turn, so
  // that one that drops packets does not hide the others.
  const absl::Duration turn =
      std::min(absl::Seconds(1), timeout / static_cast<int64_t>(size()));
  for (;;) {
    const std::shared_ptr<grpc::Channel> current = channel();
    const Moment until =
        size() == 1 ? deadline : std::min(deadline, Moment::Now() + turn);
    if (current->WaitForConnected(until.ByWallClock())) {
      return absl::OkStatus();
    }
    if (Moment::Now() >= deadline) {
      const auto in_words = [](std::string* out, const std::string& target) {
        out->append(InWords(target));
      };
      // Where certificates are looked at, there may be a server.
      const std::string why = maker_->encrypts() ? WhyNot(current) : "";
      return absl::UnavailableError(absl::StrCat(
          "no server answers at ", absl::StrJoin(targets_, ", ", in_words),
          " within ", absl::FormatDuration(timeout), why.empty() ? "" : "; ",
          why));
    }
    Advance(current);
  }
}

}  // namespace inkstream::client
