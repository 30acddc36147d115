#include "client/cpp/call/fetch_call.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/call/raw_call.h"
#include "client/cpp/messages/status_conversion.h"
#include "client/cpp/moment.h"

namespace inkstream::client {
namespace {

absl::Status Broken(absl::string_view what) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", what));
}

}  // namespace

FetchCall::FetchCall(std::shared_ptr<grpc::Channel> channel, std::string target,
                     const v1::FetchDrawingsRequest& request,
                     std::chrono::system_clock::time_point deadline,
                     BatchBuffers* buffers, uint64_t max_batch_bytes,
                     int threads)
    : channel_(std::move(channel)),
      target_(std::move(target)),
      asked_(engine::AskedBy(request)),
      threads_(threads),
      assembler_(AssemblerFor(asked_, buffers, max_batch_bytes)) {
  context_.set_deadline(deadline);
  reader_ =
      OpenRawFetch(channel_, &context_, Serialize(request), &queue_, this);
}

FetchCall::~FetchCall() {
  if (step_ != Step::kOver) {
    Cancel();
    Wait(absl::InfiniteDuration());
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool FetchCall::Wait(absl::Duration within) {
  const auto until = (Moment::Now() + within).ByWallClock();
  while (step_ != Step::kOver) {
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, until) !=
        grpc::CompletionQueue::GOT_EVENT) {
      return false;
    }
    Advance(ok);
  }
  return true;
}

// One operation is under way at any time, so its end says what comes next.
void FetchCall::Advance(bool ok) {
  switch (step_) {
    case Step::kStarting:
      step_ = Step::kReading;
      return reader_->Read(&message_, this);
    case Step::kReading:
      if (!ok) {
        step_ = Step::kFinishing;
        return reader_->Finish(&told_, this);
      }
      if (status_.ok()) {
        // Thrown further up, it would leave the call without a next operation.
        try {
          status_ = Add(&message_);
        } catch (const std::exception& error) {
          status_ = absl::ResourceExhaustedError(error.what());
        }
        if (!status_.ok()) Cancel();
      }
      return reader_->Read(&message_, this);
    case Step::kFinishing:
      step_ = Step::kOver;
      return End();
    case Step::kOver:
      return;
  }
}

absl::Status FetchCall::Add(grpc::ByteBuffer* message) {
  absl::StatusOr<engine::PartView> part = ReadPart(message);
  if (!part.ok()) return part.status();
  if (part->opened.has_value()) {
    absl::StatusOr<std::shared_ptr<AgreedRows>> rows =
        AgreeOnRows(asked_, *part->opened, target_, threads_);
    if (!rows.ok()) return rows.status();
    rows_ = *std::move(rows);
    if (rows_ != nullptr) assembler_.TakeRows(rows_->plan);
    opened_ = *std::move(part->opened);
  }
  if (part->batches.empty() && part->data_size == 0) return absl::OkStatus();
  // One answer is one batch: a second one is refused before memory is spent
  // on it.
  if (!batches_.empty() || part->batches.size() > 1) {
    return Broken("several batches for one Fetch");
  }
  return assembler_.Add(*part, [this](ReceivedBatch batch) {
    batches_.push_back(std::move(batch));
    return absl::OkStatus();
  });
}

void FetchCall::End() {
  if (!status_.ok()) return;
  status_ = FromGrpc(told_);
  if (!status_.ok() || batches_.size() == 1) return;
  status_ = Broken(absl::StrCat(batches_.size(),
                                " batches as the answer of one "
                                "Fetch"));
}

}  // namespace inkstream::client
