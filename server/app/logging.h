// Logs go to standard error; standard output belongs to answers.
//
// Thread safety: call from the main thread before others log.
#pragma once

#include <string>

namespace inkstream::app {

void SetUpLogging();

// debug, info, warn or error.
void SetLogLevel(const std::string& level);

}  // namespace inkstream::app
