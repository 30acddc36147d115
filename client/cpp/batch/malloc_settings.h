// What the C library does with memory that is given back.
#pragma once

namespace inkstream::client {

// gRPC receives into blocks of malloc's that it frees with each batch. glibc
// gives them back to the kernel and faults them in again for the next one: 17 %
// of a client's CPU time at 4 MiB a batch. This makes glibc keep 16 MiB at the
// top of each arena; by itself it keeps 64 once a program has freed a block of
// 32 MiB. An environment that says otherwise (MALLOC_..., GLIBC_TUNABLES) is
// respected.
//
// Thread safety: any thread, any number of times; the first call does it.
void KeepFreedMemory();

}  // namespace inkstream::client
