// TCP listeners whose connections never leave the machine.
//
// gRPC does not hand out its sockets, so they are found among the process's
// own by their ports.
//
// Thread safety: any thread.
#pragma once

#include <vector>

namespace inkstream::transport {

// Connections accepted from now on by this process's loopback listeners at one
// of `ports` are not paced: where the machine's congestion control is made for
// long ways (BBR), they would wait for its timers. Listeners that the network
// reaches keep what the machine says. Answers how many were set; a listener
// that cannot be found or set stays as it is, and is only slower.
int StopPacingLoopback(const std::vector<int>& ports);

}  // namespace inkstream::transport
