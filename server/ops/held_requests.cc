#include "server/ops/held_requests.h"

#include <microhttpd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::ops {

class HeldRequests::Request {
 public:
  Request(MHD_Connection* connection, std::string caller)
      : connection_(connection), caller_(std::move(caller)) {}

 private:
  friend class HeldRequests;

  MHD_Connection* const connection_;
  const std::string caller_;
  const std::chrono::steady_clock::time_point since_ =
      std::chrono::steady_clock::now();
  // By the mutex of all until it is there; then it stays as it is.
  std::optional<HttpAnswer> answer_;
};

std::shared_ptr<HeldRequests::Request> HeldRequests::Hold(
    MHD_Connection* connection, const std::string& caller) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (!counts_.Fits(caller, 1)) GiveUpLate();
  if (stopped_ || !counts_.Fits(caller, 1)) return nullptr;
  MHD_suspend_connection(connection);
  counts_.Add(caller, 1);
  return *requests_.insert(std::make_shared<Request>(connection, caller)).first;
}

void HeldRequests::Answer(const std::shared_ptr<Request>& request,
                          HttpAnswer answer) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (request->answer_.has_value() || !requests_.contains(request)) return;
  if (!bytes_.Fits(request->caller_, answer.body.size())) {
    answer = BusyAnswer(absl::StrCat(
        "answers of ", bytes_.all(), " bytes are being sent, ",
        bytes_.Of(request->caller_), " of them to you, and this one has ",
        answer.body.size(), "; at most ", bytes_.limit(),
        " are kept, seven eighths of that for one: ask again"));
  }
  Resume(request.get(), std::move(answer));
}

const HttpAnswer& HeldRequests::Take(const Request& request) {
  return *request.answer_;
}

void HeldRequests::End(const std::shared_ptr<Request>& request) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (requests_.erase(request) == 0) return;
  counts_.Remove(request->caller_, 1);
  if (request->answer_.has_value()) {
    bytes_.Remove(request->caller_, request->answer_->body.size());
  }
}

void HeldRequests::Stop() {
  const std::lock_guard<std::mutex> lock(mu_);
  stopped_ = true;
  for (const std::shared_ptr<Request>& request : requests_) {
    if (!request->answer_.has_value()) {
      Resume(request.get(), BusyAnswer("the server is stopping"));
    }
  }
}

void HeldRequests::Resume(Request* request, HttpAnswer answer) {
  bytes_.Add(request->caller_, answer.body.size());
  request->answer_ = std::move(answer);
  MHD_resume_connection(request->connection_);
}

// As where a disk hangs: whoever asked has been cut off by now, and would keep
// out the others for as long as that lasts.
void HeldRequests::GiveUpLate() {
  const auto oldest = std::chrono::steady_clock::now() - patience_;
  std::erase_if(requests_, [&](const std::shared_ptr<Request>& request) {
    if (request->answer_.has_value() || request->since_ > oldest) return false;
    counts_.Remove(request->caller_, 1);
    request->answer_ = BusyAnswer("it took too long");
    MHD_resume_connection(request->connection_);
    return true;
  });
}

HttpAnswer BusyAnswer(std::string why) {
  return {MHD_HTTP_SERVICE_UNAVAILABLE,
          "text/plain; charset=utf-8",
          absl::StrCat(why, "\n"),
          {{MHD_HTTP_HEADER_RETRY_AFTER, "1"}}};
}

}  // namespace inkstream::ops
