// Work that bytes from elsewhere may bring down, in a process of its own.
//
// Thread safety: one thread, before any other is started.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace inkstream::app {

struct ChildEnd {
  int exit_code = 0;  // of the work, where `death` is empty
  std::string death;  // what ended it otherwise, e.g. "SIGBUS (...)"
};

// Runs `work` in a child with at most `memory_bytes` of memory of its own (maps
// of files do not count) and waits for it. Its output goes where ours goes; a
// signal that asks us to end is passed on; it ends when we do.
ChildEnd RunInChild(uint64_t memory_bytes, const std::function<int()>& work);

}  // namespace inkstream::app
