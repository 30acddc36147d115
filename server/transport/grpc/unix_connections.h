// Connections to the server's Unix socket.
//
// Thread safety: any thread.
#pragma once

#include <string>

namespace inkstream::transport {

// Gives those accepted at `path` room for a whole window of bytes on their way,
// as far as the machine allows, where they have less. Answers how many were
// given some; one that is not is only slower.
int WidenUnixConnections(const std::string& path);

}  // namespace inkstream::transport
