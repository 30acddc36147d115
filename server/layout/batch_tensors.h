// One batch's tensors in the memory that they are laid out in.
//
// Ownership: borrows the memory and the recipe. Thread safety: pieces may be
// written at once; JoinRagged() after all of them.
#pragma once

#include <cstdint>
#include <vector>

#include "inkstream/tensor.h"
#include "server/layout/layout_recipe.h"

namespace inkstream::layout {

class BatchTensors {
 public:
  // `memory` has recipe.layout.Bytes(rows) bytes. What lies between tensors is
  // set to zero: buffers are used again, and bytes of other batches would
  // travel there.
  BatchTensors(const LayoutRecipe& recipe, uint32_t rows, uint8_t* memory);

  uint32_t rows() const { return rows_; }
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  uint64_t byte_size() const { return byte_size_; }
  uint8_t* memory() const { return memory_; }

  // The bytes of a tensor; null: it was not asked for.
  uint8_t* BytesOf(Field field) const;
  int64_t* index() const {
    return reinterpret_cast<int64_t*>(BytesOf(Field::kIndex));
  }
  uint8_t* valid() const { return BytesOf(Field::kValid); }

  // Ragged values of each piece lie one after another already; moves the pieces
  // together. What is not used is not part of the batch any more.
  void JoinRagged();

 private:
  const LayoutRecipe& recipe_;
  const uint32_t rows_;
  uint8_t* const memory_;
  std::vector<TensorInfo> tensors_;  // in the order of recipe.layout.fields()
  uint64_t byte_size_;
};

}  // namespace inkstream::layout
