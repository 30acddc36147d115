#include "server/app/failure.h"

#include <cstdio>

#include "absl/strings/match.h"
#include "server/app/interrupt.h"

namespace inkstream::app {

int Fail(const std::string& command, const absl::Status& status, int code) {
  const bool interrupted = absl::IsCancelled(status) && Interrupt::requested();
  std::string text(status.message());
  // Work that keeps what is done says so itself.
  if (interrupted && !absl::StartsWith(text, "interrupted; ")) {
    text = "interrupted";
  }
  std::fprintf(stderr, "inkstream %s: %s\n", command.c_str(), text.c_str());
  return interrupted ? Interrupt::exit_code() : code;
}

}  // namespace inkstream::app
