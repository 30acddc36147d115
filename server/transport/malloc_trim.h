// Gives the machine back what malloc keeps after a flood of requests.
//
// Thread safety: one thread.
#pragma once

#include <cstddef>

namespace inkstream::transport {

class MallocTrim {
 public:
  // To be called now and then; costs a walk over what is free.
  void Look();

 private:
  size_t left_free_ = 0;  // when it was given back last
};

}  // namespace inkstream::transport
