// One line on standard error before a fatal signal ends the process.
//
// Thread safety: Install from the main thread; WriteLastWords from anywhere,
// signal handlers included.
#pragma once

#include "absl/strings/string_view.h"

namespace inkstream::app {

// For SIGSEGV, SIGABRT, SIGFPE and SIGILL, as far as nobody (a sanitizer)
// handles them already. What was logged shortly before gets out as well.
void InstallLastWords();

// Writes unless it would block: nobody may be reading.
void WriteLastWords(absl::string_view line);

}  // namespace inkstream::app
