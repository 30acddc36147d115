#include "server/app/flags/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/app/commands/commands.h"
#include "server/app/flags/environment.h"
#include "server/app/flags/log_flags.h"
#include "server/app/log/logging.h"
#include "server/app/version_text.h"
#include "server/base/nearest_name.h"
#include "server/store/segment/mapped_file.h"

namespace inkstream::app {
namespace {

const CLI::App& SelectedCommand(const CLI::App& app) {
  const std::vector<CLI::App*> selected = app.get_subcommands();
  return selected.empty() ? app : *selected.front();
}

std::vector<std::string> FlagsOf(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      flags.push_back("--" + name);
    }
  }
  return flags;
}

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    names.push_back(command->get_name());
  }
  return names;
}

// CLI11 says which argument it did not expect; a person also wants to know
// which one they meant.
std::string Explain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = SelectedCommand(app);
  const std::vector<std::string> extras = app.remaining(true);
  if (extras.empty()) return error.what();
  const std::string name = extras.front().substr(0, extras.front().find('='));
  std::vector<std::string> known;
  if (name.rfind("-", 0) == 0) {
    known = FlagsOf(command);
    if (&command != &app) {
      for (const std::string& flag : FlagsOf(app)) known.push_back(flag);
    }
    return "unknown flag " + name + NearestHint(name, known);
  }
  if (&command == &app) {
    return "unknown command '" + name + "'" +
           NearestHint(name, CommandsOf(app));
  }
  return "unexpected argument '" + name + "'";
}

// Not an option of CLI11: the program's options are those of every subcommand
// too, and --json is a subcommand's own.
bool AsksForVersionJson(int argc, const char* const* argv) {
  if (argc != 3) return false;
  const absl::string_view first = argv[1];
  const absl::string_view second = argv[2];
  return (first == "--version" && second == "--json") ||
         (first == "--json" && second == "--version");
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv) {
  if (AsksForVersionJson(argc, argv)) {
    std::fputs(VersionJson().c_str(), stdout);
    return kExitDone;
  }
  CLI::App app{
      "Serves Quick, Draw! drawings as shuffled minibatches of tensors.",
      "inkstream"};
  int exit_code = kExitDone;
  std::string log_level = "info";
  app.set_version_flag("--version", VersionText(),
                       "Print the version and exit; with --json also those of "
                       "formats and libraries, for programs");
  std::string log_format = "text";
  const LogFlags log = AddLogFlags(&app, &log_level, &log_format);
  log.level->each([](const std::string& level) { SetLogLevel(level); });
  log.format->each([](const std::string& format) { SetLogFormat(format); });
  app.require_subcommand(1);
  app.footer(
      "Example:\n"
      "  inkstream generate --drawings 20000 --seed 1 -o drawings.ndjson\n"
      "  inkstream ingest drawings.ndjson --store drawings.ink\n"
      "  inkstream serve --store drawings.ink\n"
      "Every option can also be set as INKSTREAM_<OPTION>, for instance\n"
      "INKSTREAM_LOG_LEVEL=debug. Exit status: 0 done, 1 the work failed,\n"
      "2 the command line is wrong.");
  AddGenerateCommand(app, &exit_code);
  AddIngestCommand(app, &exit_code);
  AddMergeCommand(app, &exit_code);
  AddVerifyCommand(app, &exit_code);
  AddInspectCommand(app, &exit_code);
  AddStatsCommand(app, &exit_code);
  AddPlanCommand(app, &exit_code);
  AddExportCommand(app, &exit_code);
  AddHealthCommand(app, &exit_code);
  AddServeCommand(app, &exit_code);
  AddTokenCommand(app, &exit_code);
  AddBenchCommand(app, &exit_code);
  for (CLI::App* command : app.get_subcommands(nullptr)) {
    command->fallthrough();
  }
  store::GuardMaps();
  SetUpLogging();
  BindEnvironment(app);

  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help, version
    const CLI::App& command = SelectedCommand(app);
    const std::string name =
        &command == &app ? "inkstream" : "inkstream " + command.get_name();
    if (argc < 2) std::fputs((app.help() + "\n").c_str(), stderr);
    std::fprintf(stderr, "%s: %s\nSee: %s --help\n", name.c_str(),
                 Explain(app, error).c_str(), name.c_str());
    return kExitUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "inkstream: %s\n", error.what());
    return kExitFailed;
  }
}

}  // namespace inkstream::app
