#include "client/cpp/call/call_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/batch/planned_batch_bytes.h"
#include "client/cpp/call/part_parser.h"
#include "server/raster/draw/rasterizer.h"

namespace inkstream::client {
namespace {

absl::Status Broken(const char* what) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", what));
}

}  // namespace

CallReader::CallReader(std::shared_ptr<StreamCall> call, std::string target,
                       const v1::StreamBatchesRequest& opening,
                       BatchBuffers* buffers, uint64_t max_batch_bytes,
                       int threads)
    : call_(std::move(call)),
      target_(std::move(target)),
      opening_(opening),
      buffers_(buffers),
      threads_(threads),
      assembler_(buffers, PlannedBatchBytes(opening, max_batch_bytes)) {}

absl::StatusOr<std::optional<CallEvent>> CallReader::Read() {
  if (!behind_.ok()) return Break(behind_);
  grpc::ByteBuffer message;
  if (call_->Read(&message)) {
    absl::StatusOr<CallEvent> event = EventOf(message);
    if (!event.ok()) return Break(event.status());
    return std::optional<CallEvent>(*std::move(event));
  }
  const absl::Status status = call_->Finish();
  if (!status.ok()) return status;
  broken_ = true;
  if (!ended_) return Broken("a stream that ends well without an end part");
  if (assembler_.incomplete()) {
    return Broken("a stream that ends within a batch");
  }
  broken_ = false;
  return std::optional<CallEvent>();
}

absl::StatusOr<CallEvent> CallReader::EventOf(const grpc::ByteBuffer& message) {
  absl::StatusOr<BatchPartView> part = ParseBatchPart(message);
  if (!part.ok()) return part.status();
  if (ended_) return Broken("a message after the end part");
  if (part->opened.has_value()) {
    if (opened_) return Broken("a second first part");
    opened_ = true;
    if (absl::Status status = OnOpened(&*part->opened); !status.ok()) {
      return status;
    }
    return CallEvent(*std::move(part->opened));
  }
  if (!opened_) return Broken("a batch before the first part");
  if (part->end.has_value()) {
    ended_ = true;
    return CallEvent(*std::move(part->end));
  }
  std::vector<ReceivedBatch> batches;
  absl::Status status =
      slots_ != nullptr
          ? assembler_.AddInSlots(part->batches, slots_.get(), &batches)
          : assembler_.Add(*std::move(part), &batches);
  if (!status.ok() && batches.empty()) return status;
  behind_ = std::move(status);
  return CallEvent(std::move(batches));
}

absl::Status CallReader::OnOpened(v1::StreamOpened* opened) {
  if (opened->codec() == v1::CODEC_STROKES) {
    const absl::StatusOr<engine::AskedBatches> asked =
        engine::AskedBy(opening_);
    if (!asked.ok()) return asked.status();
    auto plan = engine::RowsPlan::Create(*asked, *opened, target_, threads_);
    if (!plan.ok()) return plan.status();
    rows_ = std::make_shared<AgreedRows>();
    rows_->plan = *std::move(plan);
    assembler_.TakeRows(rows_->plan);
    // What replicas are compared by is the version of whoever draws.
    opened->set_raster_version(raster::kRasterVersion);
  }
  if (opened->transport() == v1::TRANSPORT_SHM) {
    auto slots = SharedSlots::Attach(target_, *opened, call_);
    if (!slots.ok()) {
      shm_failure_ = std::string(slots.status().message());
      return slots.status();
    }
    slots_ = *std::move(slots);
  }
  return absl::OkStatus();
}

absl::Status CallReader::Break(absl::Status status) {
  broken_ = absl::IsInternal(status) || absl::IsResourceExhausted(status) ||
            !shm_failure_.empty();
  call_->Cancel();
  // The call is over only once everything is read and its status taken.
  grpc::ByteBuffer message;
  while (call_->Read(&message)) {
  }
  static_cast<void>(call_->Finish());
  return status;
}

}  // namespace inkstream::client
