#include "server/app/serve/guarded_child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"
#include "server/app/interrupt.h"

namespace inkstream::app {
namespace {

// No code of a command.
constexpr int kOutOfMemory = 99;
constexpr std::chrono::milliseconds kPoll{20};

std::string SignalText(int number) {
  const char* const name = sigabbrev_np(number);
  std::string text = absl::StrCat("SIG", name == nullptr ? "?" : name);
  switch (number) {
    case SIGBUS:
      return text + ", a file is shorter than it was, or cannot be read";
    case SIGABRT:
      return text + ", an assertion failed";
    case SIGKILL:
      return text +
             ", killed from outside, by the kernel where memory is short";
    default:
      return text;
  }
}

[[noreturn]] void RunWork(uint64_t memory_bytes,
                          const std::function<int()>& work, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kOutOfMemory);
#ifdef __SANITIZE_ADDRESS__
  static_cast<void>(memory_bytes);  // its shadow memory fits into no limit
#else
  const rlimit limit = {memory_bytes, memory_bytes};
  setrlimit(RLIMIT_DATA, &limit);
#endif
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  std::set_new_handler([] { _exit(kOutOfMemory); });
  const int code = work();
  std::fflush(nullptr);
  _exit(code);
}

}  // namespace

ChildEnd RunInChild(uint64_t memory_bytes, const std::function<int()>& work) {
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return {0, absl::StrCat("fork: ", std::strerror(errno))};
  if (child == 0) RunWork(memory_bytes, work, parent);
  bool passed_on = false;
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) return {0, std::strerror(errno)};
    if (ended == child) {
      if (WIFSIGNALED(status)) {
        if (passed_on) return {Interrupt::exit_code(), ""};
        return {0, SignalText(WTERMSIG(status))};
      }
      if (WEXITSTATUS(status) == kOutOfMemory) {
        return {0, absl::StrCat("it needs more than ", memory_bytes >> 20U,
                                " MiB of memory, the limit of --memory-mib")};
      }
      return {WEXITSTATUS(status), ""};
    }
    if (passed_on) {
      usleep(std::chrono::microseconds(kPoll).count());
    } else if (Interrupt::WaitFor(kPoll)) {
      kill(child, Interrupt::signal());
      passed_on = true;
    }
  }
}

}  // namespace inkstream::app
