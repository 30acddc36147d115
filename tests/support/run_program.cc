#include "tests/support/run_program.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "tests/support/scratch_directory.h"

namespace inkstream::testing {
namespace {

constexpr std::chrono::milliseconds kPoll{5};
constexpr int kPolls = 12000;

[[noreturn]] void RunChild(const std::string& program,
                           const std::vector<std::string>& arguments,
                           const ProgramOptions& options, int input,
                           const std::string& out, const std::string& err) {
  dup2(input, STDIN_FILENO);
  if (freopen(out.c_str(), "w", stdout) == nullptr ||
      freopen(err.c_str(), "w", stderr) == nullptr) {
    _exit(126);
  }
  signal(SIGPIPE, SIG_DFL);
  for (const std::string& variable : options.environment) {
    putenv(const_cast<char*>(variable.c_str()));
  }
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  _exit(127);
}

}  // namespace

ProgramResult RunProgram(const std::string& program,
                         const std::vector<std::string>& arguments,
                         const ProgramOptions& options) {
  const ScratchDirectory scratch;
  const std::string out = scratch.File("out"), err = scratch.File("err");
  int input[2];
  if (pipe2(input, O_CLOEXEC) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    RunChild(program, arguments, options, input[0], out, err);
  }
  close(input[0]);
  // A child that ends without reading is not this process's end.
  signal(SIGPIPE, SIG_IGN);
  for (size_t sent = 0; sent < options.input.size();) {
    const ssize_t wrote = write(input[1], options.input.data() + sent,
                                options.input.size() - sent);
    if (wrote <= 0) break;
    sent += static_cast<size_t>(wrote);
  }
  if (options.signal != 0) {
    for (int i = 0; i < kPolls && !options.signal_when(); ++i) {
      std::this_thread::sleep_for(kPoll);
    }
    kill(child, options.signal);
  } else {
    close(input[1]);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (options.signal != 0) close(input[1]);
  ProgramResult result;
  result.exit_code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = ReadWholeFile(out);
  result.err = ReadWholeFile(err);
  return result;
}

}  // namespace inkstream::testing
