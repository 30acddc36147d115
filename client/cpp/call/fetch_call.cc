#include "client/cpp/call/fetch_call.h"

#include <grpcpp/client_context.h>

#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cpp/call/raw_call.h"
#include "client/cpp/messages/status_conversion.h"

namespace inkstream::client {
namespace {

absl::Status Broken(absl::string_view what) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", what));
}

}  // namespace

absl::StatusOr<Fetched> Fetch(const std::shared_ptr<grpc::Channel>& channel,
                              const std::string& target,
                              const v1::FetchDrawingsRequest& request,
                              std::chrono::system_clock::time_point deadline,
                              BatchBuffers* buffers, uint64_t max_batch_bytes,
                              int threads) {
  const absl::StatusOr<engine::AskedBatches> asked = engine::AskedBy(request);
  engine::BatchAssembler assembler =
      AssemblerFor(asked, buffers, max_batch_bytes);
  Fetched fetched;
  std::vector<ReceivedBatch> batches;
  const auto add = [&](grpc::ByteBuffer* message) -> absl::Status {
    absl::StatusOr<engine::PartView> part = ReadPart(message);
    if (!part.ok()) return part.status();
    if (part->opened.has_value()) {
      absl::StatusOr<std::shared_ptr<AgreedRows>> rows =
          AgreeOnRows(asked, *part->opened, target, threads);
      if (!rows.ok()) return rows.status();
      fetched.rows = *std::move(rows);
      if (fetched.rows != nullptr) assembler.TakeRows(fetched.rows->plan);
      fetched.opened = *std::move(part->opened);
    }
    if (part->batches.empty() && part->data_size == 0) return absl::OkStatus();
    // One answer is one batch: a second one is refused before memory is spent
    // on it.
    if (!batches.empty() || part->batches.size() > 1) {
      return Broken("several batches for one Fetch");
    }
    return assembler.Add(*part, [&](ReceivedBatch batch) {
      batches.push_back(std::move(batch));
      return absl::OkStatus();
    });
  };

  grpc::ClientContext context;
  context.set_deadline(deadline);
  const auto reader = OpenRawFetch(channel, &context, request);
  grpc::ByteBuffer message;
  absl::Status status;
  while (reader->Read(&message)) {
    if (!status.ok()) continue;
    // Thrown further up, it would leave the call without its end.
    try {
      status = add(&message);
    } catch (const std::exception& error) {
      status = absl::ResourceExhaustedError(error.what());
    }
    if (!status.ok()) context.TryCancel();
  }
  absl::Status told = FromGrpc(reader->Finish());
  if (!status.ok()) return status;
  if (!told.ok()) return told;
  if (batches.empty()) return Broken("0 batches as the answer of one Fetch");
  fetched.batch = std::move(batches.front());
  return fetched;
}

}  // namespace inkstream::client
