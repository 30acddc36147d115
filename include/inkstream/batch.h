// One batch in the client's memory: named tensors over one run of bytes, and
// the cursor after it, where it is of a stream.
//
// Ownership: a Batch owns its bytes; they stay valid, at the same address,
// until it is destroyed, also after its Stream and Client have gone. Destroying
// it gives the buffer back to be reused, so keep no more batches than needed.
// Thread safety: immutable; concurrent reads are safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "inkstream/cursor.h"
#include "inkstream/tensor.h"

namespace inkstream {

// What the integers of string columns mean, in every batch of a stream.
struct Vocabulary {
  std::vector<std::string> words;         // of the column word
  std::vector<std::string> countrycodes;  // of the column countrycode
};

// A tensor of a batch. `bytes` borrows from the batch.
struct TensorView {
  const TensorInfo* info = nullptr;
  absl::Span<const uint8_t> bytes;  // row-major, aligned to kTensorAlignment
  // What the integers of a string column mean; empty for other tensors.
  const std::vector<std::string>* vocabulary = nullptr;
};

class Batch {
 public:
  // What a transport fills in. Every tensor lies within `data`.
  struct Content {
    uint64_t sequence = 0;  // 0, 1, ... within the stream
    uint64_t epoch = 0;
    uint64_t step = 0;  // within the epoch as opened, over all ranks
    uint32_t bad = 0;   // rows replaced because their record is damaged
    // The place after this batch; none where it was fetched.
    std::optional<Cursor> cursor;
    std::vector<TensorInfo> tensors;
    std::shared_ptr<const Vocabulary> vocabulary;  // null: without any
    std::shared_ptr<const uint8_t> data;
    size_t byte_size = 0;
  };

  explicit Batch(Content content) : content_(std::move(content)) {}
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;

  uint64_t sequence() const { return content_.sequence; }
  uint64_t epoch() const { return content_.epoch; }
  uint64_t step() const { return content_.step; }
  uint32_t bad() const { return content_.bad; }
  // The place after this batch in its stream; none where it was fetched.
  const std::optional<Cursor>& cursor() const { return content_.cursor; }
  const std::vector<TensorInfo>& tensors() const { return content_.tensors; }
  // Drawings in the batch, invalid rows included.
  int64_t rows() const;
  size_t byte_size() const { return content_.byte_size; }

  // NOT_FOUND names the tensors there are.
  absl::StatusOr<TensorView> Find(absl::string_view name) const;

  // Elements of a uint8, bool (as uint8_t), int32, int64 or float32 tensor.
  // INVALID_ARGUMENT: the tensor has another type.
  template <typename T>
  absl::StatusOr<absl::Span<const T>> Values(absl::string_view name) const;

 private:
  absl::StatusOr<TensorView> FindTyped(absl::string_view name, DType dtype,
                                       DType also) const;

  Content content_;
};

template <typename T>
absl::StatusOr<absl::Span<const T>> Batch::Values(
    absl::string_view name) const {
  static_assert(std::is_same_v<T, uint8_t> || std::is_same_v<T, int32_t> ||
                    std::is_same_v<T, int64_t> || std::is_same_v<T, float>,
                "read other element types through Find()");
  constexpr DType kType = std::is_same_v<T, uint8_t>   ? DType::kUint8
                          : std::is_same_v<T, int32_t> ? DType::kInt32
                          : std::is_same_v<T, int64_t> ? DType::kInt64
                                                       : DType::kFloat32;
  constexpr DType kAlso = std::is_same_v<T, uint8_t> ? DType::kBool : kType;
  const absl::StatusOr<TensorView> view = FindTyped(name, kType, kAlso);
  if (!view.ok()) {
    return view.status();
  }
  return absl::Span<const T>(reinterpret_cast<const T*>(view->bytes.data()),
                             view->bytes.size() / sizeof(T));
}

}  // namespace inkstream
