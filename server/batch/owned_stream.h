// A stream as its caller holds it.
//
// Thread safety: as BatchStream.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "server/batch/engine.h"
#include "server/batch/ordered_stream.h"

namespace inkstream::batch {

// Gives the caller sole ownership of a stream that workers refer to as well,
// and the engine its place for another one when the caller is done.
class OwnedStream : public BatchStream {
 public:
  OwnedStream(std::shared_ptr<OrderedStream> stream,
              std::shared_ptr<std::atomic<uint32_t>> open)
      : stream_(std::move(stream)), open_(std::move(open)) {}
  ~OwnedStream() override {
    stream_->Cancel();
    open_->fetch_sub(1);
  }

  const StreamFacts& facts() const override { return stream_->facts(); }
  void SetListener(std::function<void()> listener) override {
    stream_->SetListener(std::move(listener));
  }
  absl::Status Grant(uint32_t credits) override {
    return stream_->Grant(credits);
  }
  TakeResult TryTake() override { return stream_->TryTake(); }
  void Cancel() override { stream_->Cancel(); }
  WaitTimes wait_times() const override { return stream_->wait_times(); }
  order::Place place() const override { return stream_->place(); }
  uint32_t credits() const override { return stream_->credits(); }

 private:
  const std::shared_ptr<OrderedStream> stream_;
  const std::shared_ptr<std::atomic<uint32_t>> open_;
};

}  // namespace inkstream::batch
