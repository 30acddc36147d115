#include "client/engine/fed_stream.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "client/engine/drawing_pool.h"

namespace inkstream::engine {
namespace {

// Batches of a plan of tensors that servers let be ahead; of rows they say.
constexpr uint32_t kLeastAhead = 8;

// What ik_batch does not tell of each batch.
std::string RestOf(const v1::BatchHeader& header) {
  v1::BatchHeader rest;
  *rest.mutable_cursor() = header.cursor();
  rest.mutable_cursor()->clear_epoch();
  rest.mutable_cursor()->clear_position();
  *rest.mutable_tensors() = header.tensors();
  rest.set_byte_size(header.byte_size());
  return rest.SerializeAsString();
}

template <typename Request>
absl::StatusOr<AskedBatches> Asked(absl::Span<const uint8_t> bytes) {
  Request request;
  if (request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return AskedBy(request);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("request: not an encoded ", request.GetTypeName()));
}

uint32_t RowsOf(const v1::BatchHeader& header) {
  for (const v1::Tensor& tensor : header.tensors()) {
    if (tensor.name() == "index" && tensor.shape_size() == 1) {
      return static_cast<uint32_t>(tensor.shape(0));
    }
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::shared_ptr<LocalStream>> FedStream::Open(
    const FedStreamOptions& options) {
  absl::StatusOr<AskedBatches> asked =
      options.fetch ? Asked<v1::FetchDrawingsRequest>(options.request)
                    : Asked<v1::StreamBatchesRequest>(options.request);
  if (!asked.ok()) return asked.status();
  absl::StatusOr<PartView> first = ReadPart(options.first);
  if (first.ok() && !first->opened.has_value()) {
    first = BrokenProtocol("the stream did not begin with `opened`");
  }
  if (!first.ok()) return first.status();
  absl::StatusOr<uint64_t> most_bytes = asked->MostBytes();
  if (!most_bytes.ok()) return most_bytes.status();
  const uint32_t most_ahead =
      asked->one ? 1 : std::max(kLeastAhead, first->opened->credit_window());
  const std::shared_ptr<FedStream> stream(
      new FedStream(*most_bytes, most_ahead, options.threads));
  stream->batches_.Begin(*std::move(asked), options.whence, *most_bytes);
  absl::Status opened = stream->batches_.Feed(&first).status();
  if (!opened.ok()) return opened;
  stream->opened_ = first->opened->SerializeAsString();
  return stream;
}

FedStream::FedStream(uint64_t batch_bytes, uint32_t most_ahead, int threads)
    : LocalStream(batch_bytes, most_ahead),
      batches_(
          [this](uint64_t /*bytes*/, size_t /*ahead*/) { return OfferedNow(); },
          /*on_batch=*/nullptr, [signal = signal_] { signal->Set(); },
          JoinDrawingPool(threads)) {}

FedStream::~FedStream() {
  FedStream::Cancel();
  LeaveDrawingPool();
}

absl::StatusOr<uint32_t> FedStream::Feed(absl::Span<const uint8_t> message) {
  absl::StatusOr<PartView> part = ReadPart(message);
  return batches_.Feed(&part);
}

std::shared_ptr<uint8_t> FedStream::OfferedNow() {
  absl::StatusOr<std::shared_ptr<batch::Buffer>> memory =
      memory_->Acquire(batch_bytes());
  if (!memory.ok()) return nullptr;
  return {*memory, (*memory)->data()};
}

absl::Status FedStream::Offer(uint64_t token, void* memory, size_t size) {
  absl::Status status = memory_->Offer(token, memory, size);
  if (status.ok()) batches_.UseMemory();
  return status;
}

absl::StatusOr<NextResult> FedStream::TryNext() {
  absl::StatusOr<ServedBatches::Taken> taken = batches_.Take();
  if (!taken.ok()) return taken.status();
  if (const auto* batch = std::get_if<ReceivedBatch>(&*taken)) {
    return Given(*batch);
  }
  if (const auto* end = std::get_if<v1::StreamEnd>(&*taken)) {
    return NextResult{{.kind = IK_END}, end->SerializeAsString()};
  }
  return NextResult{};
}

NextResult FedStream::Given(const ReceivedBatch& batch) {
  const v1::BatchHeader& header = batch.header;
  NextResult given;
  given.batch = {.kind = IK_BATCH,
                 .rows = RowsOf(header),
                 .token = memory_->TakeBack(batch.bytes.get()),
                 .size = header.byte_size(),
                 .epoch = header.epoch(),
                 .step = header.step(),
                 .cursor_epoch = header.cursor().epoch(),
                 .cursor_position = header.cursor().position(),
                 .bad = header.bad(),
                 .wire_bytes = batch.wire_bytes};
  std::string rest = RestOf(header);
  if (rest != last_rest_) {
    given.header = header.SerializeAsString();
    last_rest_ = std::move(rest);
  }
  return given;
}

void FedStream::Cancel() {
  batches_.Drop();
  memory_->Close();
  signal_->Set();
}

}  // namespace inkstream::engine
