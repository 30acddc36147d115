#include "server/app/log/last_words.h"

#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

namespace inkstream::app {
namespace {

// The log's own thread goes on meanwhile.
constexpr timespec kForTheLog = {0, 100'000'000};

constexpr struct {
  int number;
  const char* line;
} kFatal[] = {
    {SIGSEGV, "inkstream: SIGSEGV: this is a defect of the program\n"},
    {SIGABRT, "inkstream: SIGABRT: an assertion failed, see above\n"},
    {SIGFPE, "inkstream: SIGFPE: this is a defect of the program\n"},
    {SIGILL,
     "inkstream: SIGILL: an instruction that this processor does not have\n"},
};

extern "C" void OnFatal(int number) {
  nanosleep(&kForTheLog, nullptr);
  for (const auto& fatal : kFatal) {
    if (fatal.number == number) WriteLastWords(fatal.line);
  }
  signal(number, SIG_DFL);
  raise(number);
}

}  // namespace

void InstallLastWords() {
  for (const auto& fatal : kFatal) {
    struct sigaction present = {};
    sigaction(fatal.number, nullptr, &present);
    if (present.sa_handler == SIG_DFL) signal(fatal.number, OnFatal);
  }
}

void WriteLastWords(absl::string_view line) {
  pollfd out = {STDERR_FILENO, POLLOUT, 0};
  if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace inkstream::app
