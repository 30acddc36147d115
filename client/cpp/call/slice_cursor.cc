#include "client/cpp/call/slice_cursor.h"

#include <algorithm>
#include <cstring>

namespace inkstream::client {

SliceCursor::SliceCursor(const std::vector<grpc::Slice>* slices)
    : slices_(slices) {
  for (const grpc::Slice& slice : *slices) {
    remaining_ += slice.size();
  }
}

size_t SliceCursor::Available() {
  if (remaining_ == 0) {
    return 0;
  }
  while (offset_ == (*slices_)[slice_].size()) {
    ++slice_;
    offset_ = 0;
  }
  return (*slices_)[slice_].size() - offset_;
}

bool SliceCursor::ReadVarint(uint64_t* value) {
  *value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (Available() == 0) {
      return false;
    }
    const uint8_t byte = (*slices_)[slice_].begin()[offset_];
    ++offset_;
    --remaining_;
    if (shift == 63 && byte > 1) {
      return false;
    }
    *value |= static_cast<uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) {
      return true;
    }
  }
  return false;
}

bool SliceCursor::ReadBytes(size_t size, uint8_t* destination) {
  if (size > remaining_) {
    return false;
  }
  while (size > 0) {
    const size_t run = std::min(size, Available());
    std::memcpy(destination, (*slices_)[slice_].begin() + offset_, run);
    destination += run;
    offset_ += run;
    remaining_ -= run;
    size -= run;
  }
  return true;
}

bool SliceCursor::ReadString(size_t size, std::string* destination) {
  if (size > remaining_) {
    return false;
  }
  destination->resize(size);
  return ReadBytes(size, reinterpret_cast<uint8_t*>(destination->data()));
}

bool SliceCursor::Skip(size_t size) {
  if (size > remaining_) {
    return false;
  }
  while (size > 0) {
    const size_t run = std::min(size, Available());
    offset_ += run;
    remaining_ -= run;
    size -= run;
  }
  return true;
}

}  // namespace inkstream::client
