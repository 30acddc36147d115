// Reads a BatchPart without touching its bulk bytes, however it lies in memory.
//
// Protobuf would copy `data`. What stands before it is small and is parsed by
// the generated code.
//
// Ownership: a PartView borrows the message's bytes. Thread safety: plain
// values and functions.
#pragma once

#include <google/protobuf/io/zero_copy_stream.h>
#include <inkstream/v1/batch.pb.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace inkstream::engine {

// What is said of messages that no server may send.
template <typename... Parts>
absl::Status BrokenProtocol(const Parts&... parts) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", parts...));
}

// Accepted in one message; a header with a vocabulary of every country and word
// is below 100 KB, and no server has more batches ahead than 256.
inline constexpr uint64_t kMostHeaderBytes = 4U << 20U;
inline constexpr size_t kMostHeaders = 4096;

struct PartView {
  uint64_t batch_seq = 0;
  uint64_t part = 0;
  uint64_t offset = 0;  // of `data` in what is cut over messages
  std::vector<v1::BatchHeader> batches;
  std::optional<v1::StreamOpened> opened;
  std::optional<v1::StreamEnd> end;
  std::vector<absl::Span<const uint8_t>> data;  // one behind the other
  uint64_t data_size = 0;                       // of all of them

  // Bytes [begin, begin + size) of `data`, which are there.
  void CopyData(uint64_t begin, uint64_t size, uint8_t* to) const;
};

// INTERNAL: the bytes are not a BatchPart.
absl::StatusOr<PartView> ReadPart(absl::Span<const uint8_t> message);
// The same of a message of `size` bytes, whose blocks outlive `message`.
absl::StatusOr<PartView> ReadPart(
    google::protobuf::io::ZeroCopyInputStream* message, size_t size);

}  // namespace inkstream::engine
