// A pool of plain heap memory under a budget, for tests of what lays out
// batches.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "inkstream/tensor.h"
#include "server/batch/job/buffer_pool.h"

namespace inkstream::testing {

class HeapBufferPool : public batch::BufferPool {
 public:
  explicit HeapBufferPool(size_t budget = size_t{1} << 30U)
      : state_(std::make_shared<State>()) {
    state_->budget = budget;
  }

  size_t budget() const override { return state_->budget; }
  size_t SizeOf(size_t bytes) const override { return bytes; }
  absl::StatusOr<std::unique_ptr<batch::Buffer>> Acquire(
      size_t bytes) override {
    const std::lock_guard<std::mutex> lock(state_->mu);
    if (bytes > state_->budget - state_->in_use) {
      return absl::ResourceExhaustedError("the budget is spent");
    }
    state_->in_use += bytes;
    state_->most_in_use = std::max(state_->most_in_use, state_->in_use);
    return std::make_unique<HeapBuffer>(state_, bytes);
  }

  size_t in_use() const { return Read(&State::in_use); }
  size_t most_in_use() const { return Read(&State::most_in_use); }

 private:
  struct State {
    std::mutex mu;  // guards the rest
    size_t budget = 0;
    size_t in_use = 0;
    size_t most_in_use = 0;
  };

  class HeapBuffer : public batch::Buffer {
   public:
    HeapBuffer(std::shared_ptr<State> state, size_t bytes)
        : state_(std::move(state)),
          bytes_(bytes),
          data_(static_cast<uint8_t*>(std::aligned_alloc(
              kTensorAlignment,
              (bytes / kTensorAlignment + 1) * kTensorAlignment))) {
      // What is not laid out shows.
      std::memset(data_, 0xAB, bytes);
    }
    ~HeapBuffer() override {
      std::free(data_);
      const std::lock_guard<std::mutex> lock(state_->mu);
      state_->in_use -= bytes_;
    }
    uint8_t* data() override { return data_; }
    size_t size() const override { return bytes_; }

   private:
    const std::shared_ptr<State> state_;
    const size_t bytes_;
    uint8_t* const data_;
  };

  size_t Read(size_t State::*field) const {
    const std::lock_guard<std::mutex> lock(state_->mu);
    return (*state_).*field;
  }

  const std::shared_ptr<State> state_;
};

}  // namespace inkstream::testing
