#include "client/cpp/batch/batch_assembler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/messages/from_proto.h"

namespace inkstream::client {
namespace {

// A batch needs a handful of tensors.
constexpr int kMaxTensors = 1024;

template <typename... Parts>
absl::Status Broken(const Parts&... parts) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", parts...));
}

// shape x dtype = length, within the batch.
absl::Status CheckTensor(const v1::Tensor& tensor, uint64_t byte_size) {
  const size_t element = SizeOf(DTypeOf(tensor.dtype()));
  if (element == 0) {
    return Broken("tensor \"", tensor.name(), "\" has the unknown dtype ",
                  static_cast<int>(tensor.dtype()));
  }
  if (tensor.offset() % kTensorAlignment != 0 || tensor.offset() > byte_size ||
      tensor.length() > byte_size - tensor.offset()) {
    return Broken("tensor \"", tensor.name(), "\" at ", tensor.offset(), " + ",
                  tensor.length(), " does not lie in a batch of ", byte_size,
                  " bytes");
  }
  uint64_t bytes = element;
  for (const int64_t side : tensor.shape()) {
    if (side < 0 ||
        __builtin_mul_overflow(bytes, static_cast<uint64_t>(side), &bytes)) {
      return Broken("tensor \"", tensor.name(), "\" has an impossible shape");
    }
  }
  if (bytes != tensor.length()) {
    return Broken("tensor \"", tensor.name(), "\" has ", tensor.length(),
                  " bytes, its shape needs ", bytes);
  }
  return absl::OkStatus();
}

}  // namespace

BatchAssembler::BatchAssembler(BatchBuffers* buffers, uint64_t max_batch_bytes)
    : buffers_(buffers), max_batch_bytes_(max_batch_bytes) {}

absl::Status BatchAssembler::Check(const v1::BatchHeader& header) {
  if (header.batch_seq() != next_sequence_) {
    return Broken("batch ", header.batch_seq(), " came where ", next_sequence_,
                  " was due");
  }
  if (header.has_rows()) {
    if (rows_ == nullptr) {
      return Broken("batch ", header.batch_seq(),
                    " comes as rows, which was not agreed on");
    }
    if (absl::Status s = rows_->Check(header); !s.ok()) return s;
  }
  const uint64_t bytes =
      header.has_rows() ? rows_->BatchBytes(header) : header.byte_size();
  if (bytes > max_batch_bytes_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a batch of ", bytes, " bytes is above the ", max_batch_bytes_,
        " that this client allows (max_batch_bytes) or that "
        "what was asked for can take"));
  }
  if (header.tensors_size() > kMaxTensors) {
    return Broken("a batch of ", header.tensors_size(), " tensors");
  }
  for (const v1::Tensor& tensor : header.tensors()) {
    if (absl::Status status = CheckTensor(tensor, header.byte_size());
        !status.ok()) {
      return status;
    }
  }
  ++next_sequence_;
  return absl::OkStatus();
}

absl::Status BatchAssembler::AddInSlots(
    const std::vector<v1::BatchHeader>& headers, SharedSlots* slots,
    std::vector<ReceivedBatch>* batches) {
  for (const v1::BatchHeader& header : headers) {
    if (absl::Status status = Check(header); !status.ok()) return status;
    if (header.has_rows()) {
      return Broken("batch ", header.batch_seq(), " has rows in its slot");
    }
    absl::StatusOr<std::shared_ptr<const uint8_t>> bytes =
        slots->Lend(header, buffers_);
    if (!bytes.ok()) return bytes.status();
    batches->push_back({header, *std::move(bytes), {}, {}});
  }
  return absl::OkStatus();
}

absl::StatusOr<BatchAssembler::Growing> BatchAssembler::Begin(
    const v1::BatchHeader& header) {
  if (absl::Status status = Check(header); !status.ok()) return status;
  Growing growing;
  growing.header = header;
  growing.part_count = header.part_count();
  if (header.has_rows()) {
    growing.size = header.wire_size();
    growing.row_bytes.resize(growing.size);
    return growing;
  }
  absl::StatusOr<std::shared_ptr<uint8_t>> bytes =
      buffers_->Acquire(header.byte_size());
  if (!bytes.ok()) {
    return bytes.status();
  }
  growing.bytes = *std::move(bytes);
  growing.size = header.byte_size();
  return growing;
}

absl::Status BatchAssembler::Complete(Growing growing,
                                      std::vector<ReceivedBatch>* batches) {
  std::optional<rows::RowsView> rows;
  if (growing.header.has_rows()) {
    absl::StatusOr<rows::RowsView> parsed =
        rows_->Parse(growing.header, growing.row_bytes);
    if (!parsed.ok()) return parsed.status();
    rows = *std::move(parsed);
  }
  batches->push_back({std::move(growing.header), std::move(growing.bytes),
                      std::move(rows), std::move(growing.row_bytes)});
  return absl::OkStatus();
}

absl::Status BatchAssembler::Add(BatchPartView part,
                                 std::vector<ReceivedBatch>* batches) {
  if (current_.has_value()) {
    return AddLater(part, batches);
  }
  return AddFirst(part, batches);
}

absl::Status BatchAssembler::AddFirst(const BatchPartView& part,
                                      std::vector<ReceivedBatch>* batches) {
  if (part.batches.empty() || part.part != 0 || part.offset != 0) {
    return Broken("part ", part.part, " of batch ", part.batch_seq,
                  " came where a new batch was due");
  }
  uint64_t used = 0;  // of the message's bulk bytes
  for (const v1::BatchHeader& header : part.batches) {
    absl::StatusOr<Growing> growing = Begin(header);
    if (!growing.ok()) {
      return growing.status();
    }
    const uint64_t size = growing->size;
    if (header.data_offset() < used || header.data_offset() > part.data_size) {
      return Broken("batch ", header.batch_seq(), " starts at ",
                    header.data_offset(), " of ", part.data_size, " bytes");
    }
    const uint64_t here = part.data_size - header.data_offset();
    const bool whole = header.part_count() <= 1;
    if (whole ? here < size : here > size || part.batches.size() > 1) {
      return Broken("batch ", header.batch_seq(), " of ", size, " bytes in ",
                    header.part_count(), " parts does not fit ", here,
                    " bytes");
    }
    SliceCursor data = part.data;
    const uint64_t take = whole ? size : here;
    if (!data.Skip(header.data_offset()) ||
        !data.ReadBytes(take, growing->into())) {
      return Broken("a message shorter than its own length");
    }
    used = header.data_offset() + take;
    growing->filled = take;
    growing->parts = 1;
    if (whole) {
      absl::Status status = Complete(*std::move(growing), batches);
      if (!status.ok()) return status;
    } else {
      current_ = *std::move(growing);
    }
  }
  return absl::OkStatus();
}

absl::Status BatchAssembler::AddLater(const BatchPartView& part,
                                      std::vector<ReceivedBatch>* batches) {
  Growing& growing = *current_;
  if (!part.batches.empty() || part.batch_seq != growing.header.batch_seq() ||
      part.part != growing.parts || part.offset != growing.filled) {
    return Broken("part ", part.part, " of batch ", part.batch_seq, " at ",
                  part.offset, " came where part ", growing.parts, " of batch ",
                  growing.header.batch_seq(), " at ", growing.filled,
                  " was due");
  }
  SliceCursor data = part.data;
  if (part.data_size == 0) {
    return Broken("an empty part of batch ", part.batch_seq);
  }
  if (part.data_size > growing.size - growing.filled ||
      !data.ReadBytes(part.data_size, growing.into() + growing.filled)) {
    return Broken("batch ", growing.header.batch_seq(), " is longer than the ",
                  growing.size, " bytes it announced");
  }
  growing.filled += part.data_size;
  ++growing.parts;
  if (growing.parts < growing.part_count) {
    return absl::OkStatus();
  }
  if (growing.filled != growing.size) {
    return Broken("batch ", growing.header.batch_seq(), " ended after ",
                  growing.filled, " of ", growing.size, " bytes");
  }
  Growing whole = std::move(growing);
  current_.reset();
  return Complete(std::move(whole), batches);
}

}  // namespace inkstream::client
