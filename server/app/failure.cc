#include "server/app/failure.h"

#include <cstdio>

#include "server/app/interrupt.h"

namespace inkstream::app {

int Fail(const std::string& command, const absl::Status& status, int code) {
  const bool interrupted = absl::IsCancelled(status) && Interrupt::requested();
  const std::string text = interrupted
                               ? "interrupted; nothing half-made is kept"
                               : std::string(status.message());
  std::fprintf(stderr, "inkstream %s: %s\n", command.c_str(), text.c_str());
  return interrupted ? Interrupt::exit_code() : code;
}

}  // namespace inkstream::app
