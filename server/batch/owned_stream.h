// A stream as its caller holds it.
//
// Thread safety: as BatchStream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "server/batch/engine.h"
#include "server/batch/job/stream_places.h"
#include "server/batch/ordered_stream.h"

namespace inkstream::batch {

// Gives the caller sole ownership of a stream that workers refer to as well,
// with its place among the engine's.
class OwnedStream : public BatchStream {
 public:
  OwnedStream(std::shared_ptr<OrderedStream> stream, StreamPlaces::Place place)
      : stream_(std::move(stream)), place_(std::move(place)) {}
  ~OwnedStream() override { stream_->Cancel(); }

  const StreamFacts& facts() const override { return stream_->facts(); }
  void SetListener(std::function<void()> listener) override {
    stream_->SetListener(std::move(listener));
  }
  absl::Status Grant(uint32_t credits) override {
    return stream_->Grant(credits);
  }
  TakeResult TryTake() override { return stream_->TryTake(); }
  std::optional<Ended> end() const override { return stream_->end(); }
  void Cancel() override { stream_->Cancel(); }
  WaitTimes wait_times() const override { return stream_->wait_times(); }
  order::EpochPosition place() const override { return stream_->place(); }
  uint32_t credits() const override { return stream_->credits(); }

 private:
  const std::shared_ptr<OrderedStream> stream_;
  const StreamPlaces::Place place_;
};

}  // namespace inkstream::batch
