#include "server/app/generate_command.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "server/app/command_line.h"

namespace inkstream::app {
namespace {

struct GenerateFlags {
  uint64_t drawings = 0;
  uint64_t seed = 0;
  std::string output;
};

int RunGenerate(const GenerateFlags&) {
  std::fputs("inkstream generate: not built yet\n", stderr);
  return kExitFailed;
}

}  // namespace

void AddGenerateCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<GenerateFlags>();
  CLI::App* command = app.add_subcommand(
      "generate", "Writes synthetic drawings in Quick, Draw!'s own formats");
  command->add_option("--drawings", flags->drawings, "How many")->required();
  command->add_option("--seed", flags->seed, "Same seed, same bytes")
      ->capture_default_str();
  command->add_option("-o,--output", flags->output, "FILE, DIR or - (stdout)")
      ->required();
  command->footer(
      "Example:\n"
      "  inkstream generate --drawings 20000 --seed 1 -o drawings.ndjson");
  command->callback([flags, exit_code] { *exit_code = RunGenerate(*flags); });
}

}  // namespace inkstream::app
