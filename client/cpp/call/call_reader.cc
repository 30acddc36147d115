#include "client/cpp/call/call_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/call/raw_call.h"
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
      asked_(engine::AskedBy(opening)),
      threads_(threads),
      assembler_(AssemblerFor(asked_, buffers, max_batch_bytes)) {}

absl::StatusOr<std::optional<CallEvent>> CallReader::Read() {
  if (!behind_.ok()) return Break(behind_);
  grpc::ByteBuffer message;
  if (call_->Read(&message)) {
    absl::StatusOr<CallEvent> event = EventOf(&message);
    if (!event.ok()) return Break(event.status());
    return std::optional<CallEvent>(*std::move(event));
  }
  const absl::Status status = call_->Finish();
  if (!status.ok()) return status;
  if (!ended_) return Broken("a stream that ends well without an end part");
  if (assembler_.incomplete()) {
    return Broken("a stream that ends within a batch");
  }
  return std::optional<CallEvent>();
}

absl::StatusOr<CallEvent> CallReader::EventOf(grpc::ByteBuffer* message) {
  absl::StatusOr<engine::PartView> part = ReadPart(message);
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
  absl::Status status = Add(*part, &batches);
  if (!status.ok() && batches.empty()) return status;
  behind_ = std::move(status);
  return CallEvent(std::move(batches));
}

absl::Status CallReader::Add(const engine::PartView& part,
                             std::vector<ReceivedBatch>* batches) {
  return assembler_.Add(part, [batches](ReceivedBatch batch) {
    batches->push_back(std::move(batch));
    return absl::OkStatus();
  });
}

absl::Status CallReader::OnOpened(v1::StreamOpened* opened) {
  absl::StatusOr<std::shared_ptr<AgreedRows>> rows =
      AgreeOnRows(asked_, *opened, target_, threads_);
  if (!rows.ok()) return rows.status();
  if (*rows != nullptr) {
    rows_ = *std::move(rows);
    assembler_.TakeRows(rows_->plan);
    // What replicas are compared by is the version of whoever draws.
    opened->set_raster_version(raster::kRasterVersion);
  }
  return absl::OkStatus();
}

absl::Status CallReader::Break(absl::Status status) {
  call_->Cancel();
  // The call is over only once everything is read and its status taken.
  grpc::ByteBuffer message;
  while (call_->Read(&message)) {
  }
  static_cast<void>(call_->Finish());
  return status;
}

}  // namespace inkstream::client
