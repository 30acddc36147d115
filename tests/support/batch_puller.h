// Reads a BatchStream the way a transport does, but waiting.
//
// Thread safety: one thread at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/batch/batch_stream.h"

namespace inkstream::testing {

// The elements of one tensor of a batch; empty where there is none.
template <typename T>
std::vector<T> TensorOf(const batch::FinishedBatch& batch,
                        const std::string& name) {
  for (const TensorInfo& tensor : batch.tensors) {
    if (tensor.name != name) continue;
    std::vector<T> elements(tensor.length / sizeof(T));
    std::memcpy(elements.data(), batch.buffer->data() + tensor.offset,
                tensor.length);
    return elements;
  }
  return {};
}

inline std::string BytesOf(const batch::FinishedBatch& batch) {
  return {reinterpret_cast<const char*>(batch.buffer->data()), batch.byte_size};
}

class BatchPuller {
 public:
  explicit BatchPuller(std::shared_ptr<batch::BatchStream> stream)
      : stream_(std::move(stream)), signal_(std::make_shared<Signal>()) {
    stream_->SetListener([signal = signal_] {
      const std::lock_guard<std::mutex> lock(signal->mu);
      signal->set = true;
      signal->changed.notify_all();
    });
  }

  // Grants a credit if there is none and waits up to ten seconds; NotReady
  // after that.
  batch::TakeResult Next() {
    if (stream_->credits() == 0) stream_->Grant(1).IgnoreError();
    return Wait(std::chrono::seconds(10));
  }

  batch::TakeResult Wait(std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      batch::TakeResult taken = stream_->TryTake();
      if (!std::holds_alternative<batch::NotReady>(taken)) return taken;
      std::unique_lock<std::mutex> lock(signal_->mu);
      if (!signal_->changed.wait_until(lock, deadline,
                                       [this] { return signal_->set; })) {
        return taken;
      }
      signal_->set = false;
    }
  }

  // All batches to the end; the end or the error goes to `last`.
  std::vector<batch::FinishedBatch> All(batch::TakeResult* last = nullptr) {
    std::vector<batch::FinishedBatch> batches;
    for (;;) {
      batch::TakeResult taken = Next();
      if (auto* batch = std::get_if<batch::FinishedBatch>(&taken)) {
        batches.push_back(std::move(*batch));
        continue;
      }
      if (last != nullptr) *last = std::move(taken);
      return batches;
    }
  }

  batch::BatchStream* operator->() { return stream_.get(); }
  void Close() { stream_.reset(); }

 private:
  struct Signal {
    std::mutex mu;
    std::condition_variable changed;
    bool set = false;
  };

  std::shared_ptr<batch::BatchStream> stream_;
  const std::shared_ptr<Signal> signal_;
};

}  // namespace inkstream::testing
