// `inkstream token`: a new token for a caller, and its line for --tokens.

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/app/commands/commands.h"
#include "server/app/flags/command_line.h"
#include "server/base/json.h"
#include "server/transport/security/token_table.h"

namespace inkstream::app {
namespace {

struct TokenFlags {
  std::string name;
  std::vector<std::string> datasets;
  bool json = false;
};

std::string CheckName(const std::string& name) {
  return std::string(transport::CheckTokenName(name).message());
}

std::string CheckDataset(const std::string& dataset) {
  if (!dataset.empty() &&
      dataset.find_first_of(" \t#*,") == std::string::npos) {
    return "";
  }
  return absl::StrCat("\"", dataset, "\" is not the name of a dataset");
}

int RunToken(const TokenFlags& flags) {
  const std::string token = transport::NewToken();
  const std::string line =
      transport::TokenLine(flags.name, token, flags.datasets);
  const std::string answer = flags.json
                                 ? JsonLine({{"token", token}, {"line", line}})
                                 : absl::StrCat(token, "\n", line, "\n");
  // What nobody got is no use: no line without its token.
  const bool written =
      std::fputs(answer.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (written) return kExitDone;
  std::perror("inkstream token: cannot write to standard output");
  return kExitFailed;
}

}  // namespace

void AddTokenCommand(CLI::App& app, int* exit_code) {
  const auto flags = std::make_shared<TokenFlags>();
  CLI::App* const command = app.add_subcommand(
      "token", "Makes a token for a caller of a server with --tokens");
  command
      ->add_option("NAME", flags->name,
                   "Of the caller: in logs, and what it shares turns by")
      ->required()
      ->check(CLI::Validator(CheckName, ""));
  command
      ->add_option("--datasets", flags->datasets,
                   "What it may read; left out: all datasets")
      ->delimiter(',')
      ->check(CLI::Validator(CheckDataset, ""))
      ->type_name("A,B");
  command->add_flag("--json", flags->json, "Both as one JSON object");
  command->footer(
      "Prints the token, which is nowhere else, and below it the line for the "
      "file\nof `serve --tokens`, which holds only its hash.\n"
      "Example:\n"
      "  inkstream token trainer --datasets quickdraw > new\n"
      "  head -n 1 new > trainer.token\n"
      "  tail -n 1 new >> tokens");
  command->callback([flags, exit_code] { *exit_code = RunToken(*flags); });
}

}  // namespace inkstream::app
