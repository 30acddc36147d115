// Dense tensors inside a batch's one run of bytes.
//
// Thread safety: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace inkstream {

// Numbered as in inkstream.v1.DType; never renumber.
enum class DType : uint8_t {
  kUnspecified = 0,
  kUint8 = 1,
  kInt32 = 2,
  kInt64 = 3,
  kFloat16 = 4,
  kBFloat16 = 5,
  kFloat32 = 6,
  kBool = 7,
};

// Bytes of one element; 0 for kUnspecified.
constexpr size_t SizeOf(DType dtype) {
  switch (dtype) {
    case DType::kUint8:
    case DType::kBool:
      return 1;
    case DType::kFloat16:
    case DType::kBFloat16:
      return 2;
    case DType::kInt32:
    case DType::kFloat32:
      return 4;
    case DType::kInt64:
      return 8;
    case DType::kUnspecified:
      break;
  }
  return 0;
}

// Every tensor starts at a multiple of this many bytes of the batch.
inline constexpr size_t kTensorAlignment = 64;

// Where one tensor lies in its batch.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kUnspecified;
  std::vector<int64_t> shape;  // row-major, outermost first
  uint64_t offset = 0;         // bytes from the start of the batch
  uint64_t length = 0;         // bytes, without padding

  bool operator==(const TensorInfo&) const = default;
};

}  // namespace inkstream
