// The slots of a shared-memory stream, mapped read-only: see
// server/transport/shm/slot_layout.h.
//
// A slot is lent until the last reference to its bytes dies, also beyond the
// stream. A reader that keeps many batches never stops the server: what would
// leave it too few slots is copied, and its slot goes back at once.
//
// Thread safety: Lend() from one thread; references may die on any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/call/stream_call.h"
#include "inkstream/v1/batch.pb.h"

namespace inkstream::client {

class SharedSlots {
 public:
  // Why a stream at `target` cannot use shared memory; empty: it may.
  static std::string WhyNotAt(absl::string_view target);

  // Fetches the descriptor that `opened` offers from the server at `target`,
  // checks its seals and size, and maps it. Takes at most some seconds.
  static absl::StatusOr<std::unique_ptr<SharedSlots>> Attach(
      absl::string_view target, const v1::StreamOpened& opened,
      const std::shared_ptr<StreamCall>& call);

  // The bytes of a batch that lies in a slot. INTERNAL: it does not.
  absl::StatusOr<std::shared_ptr<const uint8_t>> Lend(
      const v1::BatchHeader& header, BatchBuffers* copies);

 private:
  struct Map;

  SharedSlots(std::shared_ptr<Map> map, std::weak_ptr<StreamCall> call);

  const std::shared_ptr<Map> map_;
  const std::weak_ptr<StreamCall> call_;
  std::vector<bool> touched_;  // slots whose pages this process has mapped
};

}  // namespace inkstream::client
