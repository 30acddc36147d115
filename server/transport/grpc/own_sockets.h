// The sockets of this process, which gRPC does not hand out.
//
// Thread safety: any thread. A socket may be closed, and its number be another
// one's, while it is looked at: do nothing to it that would do harm then.
#pragma once

#include <functional>

namespace inkstream::transport {

// Each once. None where there is no /proc.
void ForEachOwnSocket(const std::function<void(int fd)>& visit);

bool IsListening(int fd);

}  // namespace inkstream::transport
