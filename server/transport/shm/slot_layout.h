// Where the slots of a shared-memory stream lie, and how a client gets the
// descriptor: the one thing that server and clients have in common.
//
//   memfd:  | slot 0 | slot 1 | ... | slot n-1 |     slot_bytes each
//
// A client connects to the server's socket path + kSocketSuffix, sends the
// kTokenBytes of `opened.shm_token`, and gets one byte: kGranted with the
// memfd (SCM_RIGHTS), or kRefused. A token is good once.
#pragma once

#include <fcntl.h>

#include <cstddef>
#include <cstdint>

#include "inkstream/tensor.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace inkstream::transport {

inline constexpr size_t kTokenBytes = 16;
inline constexpr char kSocketSuffix[] = ".fd";
inline constexpr char kGranted = 'F';
inline constexpr char kRefused = 'N';

// Nobody but the server's own map can change the bytes or the size: without
// these a reader could be hit by SIGBUS.
inline constexpr int kRequiredSeals =
    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

inline constexpr uint64_t kSlotAlignment = 4096;  // a page
inline constexpr uint32_t kMaxSlots = 1024;

struct SlotLayout {
  uint64_t slot_bytes = 0;  // a multiple of kSlotAlignment
  uint32_t slots = 0;

  uint64_t bytes() const { return slot_bytes * slots; }
  uint64_t OffsetOf(uint32_t slot) const { return slot_bytes * slot; }

  // Also for numbers off the wire: nothing overflows where this is true.
  bool valid() const {
    return slots > 0 && slots <= kMaxSlots && slot_bytes > 0 &&
           slot_bytes % kSlotAlignment == 0 && slot_bytes <= UINT64_MAX / 2048;
  }
};

}  // namespace inkstream::transport
