// How a command ends that did not do its work.
//
// Thread safety: any thread.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace inkstream::app {

// Writes "inkstream COMMAND: text" to standard error and answers the exit code:
// 130 or 143 where a signal ended the work, else `code`.
int Fail(const std::string& command, const absl::Status& status, int code);

}  // namespace inkstream::app
