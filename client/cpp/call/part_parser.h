// Reads a BatchPart off the wire without touching its bulk bytes.
//
// Protobuf would copy `data` once more. Everything before it is small and is
// parsed by the generated code; `data` itself stays where gRPC received it.
// Thread safety: plain functions; a BatchPartView is for one thread.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cpp/call/slice_cursor.h"
#include "inkstream/v1/batch.pb.h"

namespace inkstream::client {

// Bytes of headers accepted in one message; a header with a vocabulary of
// every country and word is below 100 KB.
inline constexpr uint64_t kMaxHeaderBytes = 16U << 20U;

struct BatchPartView {
  uint64_t batch_seq = 0;
  uint64_t part = 0;
  uint64_t offset = 0;  // of `data` in the batch's byte space
  std::vector<v1::BatchHeader> batches;
  std::optional<v1::StreamOpened> opened;
  std::optional<v1::StreamEnd> end;
  SliceCursor data;  // at the first bulk byte; borrows from `slices`
  uint64_t data_size = 0;

  // The message's memory. Held by pointer so that moving the view keeps
  // `data` valid.
  std::unique_ptr<std::vector<grpc::Slice>> slices;
};

// INTERNAL: the bytes are not a BatchPart.
absl::StatusOr<BatchPartView> ParseBatchPart(const grpc::ByteBuffer& message);

}  // namespace inkstream::client
