#include "server/ops/held_requests.h"

#include <microhttpd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::ops {

class HeldRequests::Request {
 public:
  explicit Request(MHD_Connection* connection) : connection_(connection) {}

 private:
  friend class HeldRequests;

  MHD_Connection* const connection_;
  // By the mutex of all until it is there; then it stays as it is.
  std::optional<HttpAnswer> answer_;
};

std::shared_ptr<HeldRequests::Request> HeldRequests::Hold(
    MHD_Connection* connection) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (stopped_ || requests_.size() >= limits_.requests) return nullptr;
  MHD_suspend_connection(connection);
  return *requests_.insert(std::make_shared<Request>(connection)).first;
}

void HeldRequests::Answer(const std::shared_ptr<Request>& request,
                          HttpAnswer answer) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (request->answer_.has_value() || !requests_.contains(request)) return;
  if (bytes_ > 0 && bytes_ + answer.body.size() > limits_.bytes) {
    answer = BusyAnswer(absl::StrCat("answers of ", bytes_,
                                     " bytes are being sent and this one has ",
                                     answer.body.size(), "; at most ",
                                     limits_.bytes, " are kept: ask again"));
  }
  Resume(request.get(), std::move(answer));
}

const HttpAnswer& HeldRequests::Take(const Request& request) {
  return *request.answer_;
}

void HeldRequests::End(const std::shared_ptr<Request>& request) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (requests_.erase(request) > 0 && request->answer_.has_value()) {
    bytes_ -= request->answer_->body.size();
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
  bytes_ += answer.body.size();
  request->answer_ = std::move(answer);
  MHD_resume_connection(request->connection_);
}

HttpAnswer BusyAnswer(std::string why) {
  return {MHD_HTTP_SERVICE_UNAVAILABLE,
          "text/plain; charset=utf-8",
          absl::StrCat(why, "\n"),
          {{MHD_HTTP_HEADER_RETRY_AFTER, "1"}}};
}

}  // namespace inkstream::ops
