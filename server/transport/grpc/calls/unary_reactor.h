// A call of one request and one answer.
//
// The request waits as bytes and is parsed by whoever handles it: its bytes are
// what it is priced by, and a message takes many times as much.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "server/batch/work/parked_request.h"
#include "server/transport/grpc/calls/answer_bytes.h"
#include "server/transport/grpc/calls/permitted_reactor.h"
#include "server/transport/grpc/calls/proto_message.h"

namespace inkstream::transport {

template <typename Request, typename Response>
class UnaryReactor : public PermittedReactor {
 public:
  using Handle = std::function<absl::Status(Request*, Response*)>;
  // Has `work` done for a request of so many bytes, now or later; where it is
  // parked, once more. An error: it will not be.
  using Run = std::function<absl::Status(
      const std::string& caller, size_t bytes, std::function<void()> work)>;

  // `permits` and `answers` outlive the call.
  UnaryReactor(ReadPermits* permits, AnswerBytes* answers, std::string caller,
               grpc::CallbackServerContext* call, Handle handle, Run run)
      : PermittedReactor(permits, std::move(caller), call),
        answers_(answers),
        handle_(std::move(handle)),
        run_(std::move(run)) {
    Read();
  }

 private:
  void OnMessage() override {
    const absl::Status status =
        run_(caller(), message_.Length(), [this] { Answer(); });
    if (!status.ok()) Finish(status);
  }

  void Answer() {
    Request request;
    Response response;
    absl::Status status = ParseMessage(message_, &request);
    if (status.ok()) status = handle_(&request, &response);
    if (batch::IsParked(status)) return;
    if (!status.ok()) return Finish(status);
    message_ = SerializeMessage(response);
    status = answers_->Take(caller(), message_.Length());
    if (!status.ok()) return Finish(status);
    being_sent_ = message_.Length();
    StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK);
  }

  void OnDone() override {
    answers_->GiveBack(caller(), being_sent_);
    PermittedReactor::OnDone();
  }

  AnswerBytes* const answers_;
  const Handle handle_;
  const Run run_;
  size_t being_sent_ = 0;
};

}  // namespace inkstream::transport
