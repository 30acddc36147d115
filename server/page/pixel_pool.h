// Memory that the page's pixels are drawn in, apart from that of streams: who
// looks takes nothing from who trains.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "server/batch/job/buffer_pool.h"

namespace inkstream::page {

class PixelPool : public batch::BufferPool {
 public:
  explicit PixelPool(size_t budget);

  size_t budget() const override { return budget_; }
  size_t SizeOf(size_t bytes) const override;
  absl::StatusOr<std::unique_ptr<batch::Buffer>> Acquire(size_t bytes) override;

 private:
  struct Lent;

  const size_t budget_;
  const std::shared_ptr<Lent> lent_;
};

}  // namespace inkstream::page
