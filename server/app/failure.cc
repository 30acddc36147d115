#include "server/app/failure.h"

#include <cstdio>

#include "absl/strings/match.h"
#include "server/app/interrupt.h"
#include "server/base/json_text.h"

namespace inkstream::app {
namespace {

constexpr size_t kMaxCharacters = 4000;

}  // namespace

int Fail(const std::string& command, const absl::Status& status, int code) {
  const bool interrupted = absl::IsCancelled(status) && Interrupt::requested();
  // Names of files may hold what a terminal would obey.
  std::string text = PrintableText(status.message(), kMaxCharacters);
  // Work that keeps what is done says so itself.
  if (interrupted && !absl::StartsWith(text, "interrupted; ")) {
    text = "interrupted";
  }
  std::fprintf(stderr, "inkstream %s: %s\n", command.c_str(), text.c_str());
  return interrupted ? Interrupt::exit_code() : code;
}

}  // namespace inkstream::app
