#include "client/cpp/call/fetch_call.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/call/part_parser.h"
#include "client/cpp/call/raw_call.h"
#include "client/cpp/messages/status_conversion.h"

namespace inkstream::client {
namespace {

absl::Status Broken(absl::string_view what) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", what));
}

}  // namespace

FetchCall::FetchCall(std::shared_ptr<grpc::Channel> channel, std::string target,
                     const v1::FetchDrawingsRequest& request,
                     absl::Time deadline, BatchBuffers* buffers,
                     uint64_t max_batch_bytes, int threads)
    : channel_(std::move(channel)),
      target_(std::move(target)),
      request_(request),
      threads_(threads),
      assembler_(buffers, max_batch_bytes) {
  context_.set_deadline(absl::ToChronoTime(deadline));
  reader_ =
      OpenRawFetch(channel_, &context_, Serialize(request_), &queue_, this);
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
  const auto until = absl::ToChronoTime(absl::Now() + within);
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
          status_ = Add(message_);
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

absl::Status FetchCall::Add(const grpc::ByteBuffer& message) {
  absl::StatusOr<BatchPartView> part = ParseBatchPart(message);
  if (!part.ok()) return part.status();
  if (part->opened.has_value()) {
    if (absl::Status s = OnOpened(*part->opened); !s.ok()) return s;
  }
  if (part->batches.empty() && part->data_size == 0) return absl::OkStatus();
  // One answer is one batch: a second one is refused before memory is spent
  // on it.
  if (!batches_.empty() || part->batches.size() > 1) {
    return Broken("several batches for one Fetch");
  }
  return assembler_.Add(*std::move(part), &batches_);
}

absl::Status FetchCall::OnOpened(const v1::StreamOpened& opened) {
  if (opened.codec() != v1::CODEC_STROKES) return absl::OkStatus();
  const absl::StatusOr<engine::AskedBatches> asked = engine::AskedBy(request_);
  if (!asked.ok()) return asked.status();
  auto plan = engine::RowsPlan::Create(*asked, opened, target_, threads_);
  if (!plan.ok()) return plan.status();
  rows_ = std::make_shared<AgreedRows>();
  rows_->plan = *std::move(plan);
  assembler_.TakeRows(rows_->plan);
  return absl::OkStatus();
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
