// Reads a received message where it lies, slice by slice.
//
// Ownership: borrows the slices, which must outlive it. Copying it remembers a
// place. Thread safety: for one thread.
#pragma once

#include <grpcpp/support/slice.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace inkstream::client {

class SliceCursor {
 public:
  // An empty message.
  SliceCursor() = default;
  explicit SliceCursor(const std::vector<grpc::Slice>* slices);

  // Bytes not read yet.
  size_t remaining() const { return remaining_; }

  // Each of these answers false, with the place undefined, where the message is
  // too short or (for a varint) longer than 64 bits.
  bool ReadVarint(uint64_t* value);
  bool ReadBytes(size_t size, uint8_t* destination);
  bool ReadString(size_t size, std::string* destination);
  bool Skip(size_t size);

 private:
  // Bytes of the current slice that are not read yet; moves on to the next
  // slice where there are none. 0 only at the end of the message.
  size_t Available();

  const std::vector<grpc::Slice>* slices_ = nullptr;
  size_t slice_ = 0;
  size_t offset_ = 0;
  size_t remaining_ = 0;
};

}  // namespace inkstream::client
