#include "client/engine/batch_assembler.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "inkstream/tensor.h"

namespace inkstream::engine {
namespace {

// A batch needs a handful of tensors.
constexpr int kMaxTensors = 1024;

// Of what is cut over messages.
uint64_t SizeOf(const v1::BatchHeader& header) {
  return header.has_rows() ? header.wire_size() : header.byte_size();
}

// shape x dtype = length, within the batch.
absl::Status CheckTensor(const v1::Tensor& tensor, uint64_t byte_size) {
  const size_t element =
      v1::DType_IsValid(tensor.dtype())
          ? inkstream::SizeOf(static_cast<DType>(tensor.dtype()))
          : 0;
  if (element == 0) {
    return BrokenProtocol("tensor \"", tensor.name(),
                          "\" has the unknown dtype ",
                          static_cast<int>(tensor.dtype()));
  }
  if (tensor.offset() % kTensorAlignment != 0 || tensor.offset() > byte_size ||
      tensor.length() > byte_size - tensor.offset()) {
    return BrokenProtocol("tensor \"", tensor.name(), "\" at ", tensor.offset(),
                          " + ", tensor.length(),
                          " does not lie in a batch of ", byte_size, " bytes");
  }
  uint64_t bytes = element;
  for (const int64_t side : tensor.shape()) {
    if (side < 0 ||
        __builtin_mul_overflow(bytes, static_cast<uint64_t>(side), &bytes)) {
      return BrokenProtocol("tensor \"", tensor.name(),
                            "\" has an impossible shape");
    }
  }
  if (bytes != tensor.length()) {
    return BrokenProtocol("tensor \"", tensor.name(), "\" has ",
                          tensor.length(), " bytes, its shape needs ", bytes);
  }
  return absl::OkStatus();
}

}  // namespace

void BatchAssembler::Growing::Append(const PartView& part, uint64_t begin,
                                     uint64_t count) {
  uint8_t* const into = bytes != nullptr ? bytes.get() : batch.kept.data();
  part.CopyData(begin, count, into + filled);
  filled += count;
  ++parts;
}

absl::Status BatchAssembler::Check(const v1::BatchHeader& header) {
  if (header.batch_seq() != next_sequence_) {
    return BrokenProtocol("batch ", header.batch_seq(), " came where ",
                          next_sequence_, " was due");
  }
  if (header.has_rows()) {
    if (rows_ == nullptr) {
      return BrokenProtocol("batch ", header.batch_seq(),
                            " comes as rows, which was not agreed on");
    }
    if (absl::Status s = rows_->Check(header); !s.ok()) return s;
  }
  const uint64_t bytes =
      header.has_rows() ? rows_->BatchBytes(header) : header.byte_size();
  if (bytes > asked_bytes_) {
    return BrokenProtocol("batch ", header.batch_seq(), " claims ", bytes,
                          " bytes; what was asked for takes at most ",
                          asked_bytes_);
  }
  if (bytes > most_bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a batch of ", bytes, " bytes is above the ", most_bytes_,
                     " that this client allows (max_batch_bytes)"));
  }
  if (header.tensors_size() > kMaxTensors) {
    return BrokenProtocol("a batch of ", header.tensors_size(), " tensors");
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

absl::StatusOr<BatchAssembler::Growing> BatchAssembler::Begin(
    const v1::BatchHeader& header) {
  Growing growing;
  growing.size = SizeOf(header);
  growing.batch.header = header;
  growing.batch.wire_bytes = growing.size;
  if (!header.has_rows()) {
    absl::StatusOr<std::shared_ptr<uint8_t>> bytes = memory_of_(growing.size);
    if (!bytes.ok()) return bytes.status();
    growing.bytes = *std::move(bytes);
  }
  if (growing.bytes == nullptr) growing.batch.kept.resize(growing.size);
  return growing;
}

absl::Status BatchAssembler::Complete(Growing growing,
                                      const OnBatch& on_batch) {
  ReceivedBatch& batch = growing.batch;
  batch.bytes = std::move(growing.bytes);
  if (batch.header.has_rows()) {
    absl::StatusOr<rows::RowsView> rows =
        rows_->Parse(batch.header, batch.kept);
    if (!rows.ok()) return rows.status();
    batch.rows = *std::move(rows);
  }
  return on_batch(std::move(batch));
}

absl::Status BatchAssembler::Add(const PartView& part,
                                 const OnBatch& on_batch) {
  return current_.has_value() ? AddLater(part, on_batch)
                              : AddFirst(part, on_batch);
}

absl::Status BatchAssembler::AddFirst(const PartView& part,
                                      const OnBatch& on_batch) {
  if (part.batches.empty() || part.part != 0 || part.offset != 0) {
    return BrokenProtocol("part ", part.part, " of batch ", part.batch_seq,
                          " came where a new batch was due");
  }
  uint64_t used = 0;  // of the message's bulk bytes
  for (const v1::BatchHeader& header : part.batches) {
    if (absl::Status status = Check(header); !status.ok()) return status;
    const uint64_t size = SizeOf(header);
    const uint64_t begin = header.data_offset();
    if (begin < used || begin > part.data_size) {
      return BrokenProtocol("batch ", header.batch_seq(), " starts at ", begin,
                            " of ", part.data_size, " bytes");
    }
    const uint64_t here = part.data_size - begin;
    const bool whole = header.part_count() <= 1;
    if (whole ? here < size : here > size || part.batches.size() > 1) {
      return BrokenProtocol("batch ", header.batch_seq(), " of ", size,
                            " bytes in ", header.part_count(),
                            " parts does not fit ", here, " bytes");
    }
    const uint64_t take = whole ? size : here;
    absl::StatusOr<Growing> growing = Begin(header);
    if (!growing.ok()) return growing.status();
    growing->Append(part, begin, take);
    used = begin + take;
    if (!whole) {
      current_ = *std::move(growing);
      return absl::OkStatus();
    }
    absl::Status status = Complete(*std::move(growing), on_batch);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status BatchAssembler::AddLater(const PartView& part,
                                      const OnBatch& on_batch) {
  Growing& growing = *current_;
  const v1::BatchHeader& header = growing.batch.header;
  if (!part.batches.empty() || part.batch_seq != header.batch_seq() ||
      part.part != growing.parts || part.offset != growing.filled) {
    return BrokenProtocol("part ", part.part, " of batch ", part.batch_seq,
                          " at ", part.offset, " came where part ",
                          growing.parts, " of batch ", header.batch_seq(),
                          " at ", growing.filled, " was due");
  }
  if (part.data_size == 0) {
    return BrokenProtocol("an empty part of batch ", part.batch_seq);
  }
  if (part.data_size > growing.size - growing.filled) {
    return BrokenProtocol("batch ", part.batch_seq, " is longer than the ",
                          growing.size, " bytes it announced");
  }
  growing.Append(part, 0, part.data_size);
  if (growing.parts < header.part_count()) return absl::OkStatus();
  if (growing.filled != growing.size) {
    return BrokenProtocol("batch ", part.batch_seq, " ended after ",
                          growing.filled, " of ", growing.size, " bytes");
  }
  Growing whole = std::move(growing);
  current_.reset();
  return Complete(std::move(whole), on_batch);
}

}  // namespace inkstream::engine
