// A stream's batches for a range-for.
//
//   inkstream::BatchRange batches(stream->get());
//   for (const inkstream::Batch& batch : batches) train(batch);
//   if (!batches.status().ok()) ...  // an error ended the loop, not the end
//
// One pass: begin() reads the next batch of the stream, and a loop that is
// left early goes on behind the batch in which it was left. A batch lives until
// the loop goes on; whoever keeps one moves it out.
//
// Thread safety: as Stream::Next, one thread at a time. The stream must live as
// long as the range.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/batch.h"
#include "inkstream/client.h"

namespace inkstream {

class BatchRange {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using pointer = Batch*;
    using reference = Batch&;

    Batch& operator*() const { return *range_->batch_; }
    Batch* operator->() const { return &*range_->batch_; }
    Iterator& operator++() {
      range_->Read();
      return *this;
    }
    void operator++(int) { range_->Read(); }
    bool operator==(std::default_sentinel_t) const {
      return !range_->batch_.has_value();
    }

   private:
    friend class BatchRange;
    explicit Iterator(BatchRange* range) : range_(range) {}

    BatchRange* range_;
  };

  explicit BatchRange(Stream* stream) : stream_(stream) {}

  Iterator begin() {
    Read();
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

  // What ended the last loop: OK at the end of the stream.
  const absl::Status& status() const { return status_; }

 private:
  void Read() {
    batch_.reset();
    absl::StatusOr<std::optional<Batch>> next = stream_->Next();
    status_ = next.status();
    if (next.ok()) batch_ = *std::move(next);
  }

  Stream* stream_;
  std::optional<Batch> batch_;
  absl::Status status_;
};

}  // namespace inkstream
