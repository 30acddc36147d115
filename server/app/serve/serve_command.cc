// `inkstream serve`: stores -> batches over gRPC.

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "server/app/commands/commands.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/log/logging.h"
#include "server/app/serve/serve_config.h"
#include "server/app/serve/serve_flags.h"
#include "server/app/serve/server_lifecycle.h"

namespace inkstream::app {
namespace {

// For whoever reads the log; it may be nobody.
constexpr std::chrono::milliseconds kLastLogLines{500};

struct CommandFlags {
  ServeOptions serve;
  std::string config;
  bool print_config = false;
  bool check_config = false;
};

int Answer(const absl::Status& status) {
  if (status.ok()) return kExitDone;
  return Fail("serve", status,
              absl::IsInvalidArgument(status) ? kExitUsage : kExitFailed);
}

int RunServe(const CLI::App& command, const CommandFlags& flags) {
  ServeConfig config(command, flags.config);
  SetLogLevel(config.options().log_level);
  SetLogFormat(config.options().log_format);
  if (config.options().stores.empty()) throw CLI::RequiredError("--store");
  if (flags.print_config) {
    std::fputs(config.text().c_str(), stdout);
    return kExitDone;
  }
  if (flags.check_config) {
    const absl::Status status = CheckServeOptions(config.options());
    if (status.ok()) std::puts("nothing is wrong with this configuration");
    return Answer(status);
  }
  LogInBackground();
  const absl::Status status = ServeUntilInterrupted(
      config.options(),
      flags.config.empty() ? ReadAgain() : [&] { return config.ReadAgain(); });
  FlushLog(kLastLogLines);
  return Answer(status);
}

}  // namespace

void AddServeCommand(CLI::App& app, int* exit_code) {
  const auto flags = std::make_shared<CommandFlags>();
  CLI::App* const command = app.add_subcommand(
      "serve", "Streams the drawings of stores as batches of tensors");
  AddServeFlags(command, &flags->serve);
  command
      ->add_option("--config", flags->config,
                   "TOML file with these options, NAME = VALUE; flags and the "
                   "environment win. SIGHUP has it read again")
      ->type_name("FILE");
  command->add_flag("--print-config", flags->print_config,
                    "Prints what all of them come to as such a file, and ends");
  command->add_flag("--check-config", flags->check_config,
                    "Looks for what is wrong, in files and stores too, and "
                    "ends");
  command->footer(
      "Example:\n"
      "  inkstream serve --store drawings.ink --listen 127.0.0.1:50051\n"
      "Prints one line to standard output when it is ready:\n"
      "  inkstream ready grpc=127.0.0.1:50051\n"
      "SIGTERM and SIGINT: streams finish the batch in hand, then exit 0; a\n"
      "second one: at once. SIGHUP looks for new generations of the stores,\n"
      "certificates and tokens, and takes from the configuration what can be\n"
      "had without a restart: generation, log-level, rebalance,\n"
      "max-connections, max-connections-per-peer and the times of the end.");
  command->callback(
      [command, flags, exit_code] { *exit_code = RunServe(*command, *flags); });
}

}  // namespace inkstream::app
