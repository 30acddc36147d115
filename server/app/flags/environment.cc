#include "server/app/flags/environment.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "server/base/nearest_name.h"
#include "spdlog/spdlog.h"

namespace inkstream::app {
namespace {

constexpr char kPrefix[] = "INKSTREAM_";

void BindOptions(CLI::App& app, std::vector<std::string>* known) {
  for (CLI::Option* option : app.get_options([](CLI::Option* candidate) {
         return !candidate->get_lnames().empty();
       })) {
    const std::string& name = option->get_lnames().front();
    if (name == "help" || name == "version") continue;
    const std::string variable = EnvironmentName(name);
    option->envname(variable);
    known->push_back(variable);
  }
}

}  // namespace

std::string EnvironmentName(const std::string& option) {
  return kPrefix +
         absl::StrReplaceAll(absl::AsciiStrToUpper(option), {{"-", "_"}});
}

bool IsInjectedByKubernetes(const std::string& variable) {
  // NAME_SERVICE_HOST, NAME_SERVICE_PORT, NAME_SERVICE_PORT_WORD, NAME_PORT,
  // NAME_PORT_50051_TCP and what follows on that.
  if (absl::EndsWith(variable, "_SERVICE_HOST") ||
      absl::EndsWith(variable, "_PORT") ||
      absl::StrContains(variable, "_SERVICE_PORT_")) {
    return true;
  }
  const size_t port = variable.find("_PORT_");
  return port != std::string::npos && port + 6 < variable.size() &&
         absl::ascii_isdigit(variable[port + 6]);
}

std::vector<std::string> UnknownVariableWarnings(
    const std::vector<std::string>& variables,
    const std::vector<std::string>& known) {
  std::vector<std::string> warnings;
  std::string far;  // from every name
  for (const std::string& variable : variables) {
    if (!absl::StartsWith(variable, kPrefix) ||
        IsInjectedByKubernetes(variable) ||
        std::find(known.begin(), known.end(), variable) != known.end()) {
      continue;
    }
    const std::string nearest = NearestName(variable, known);
    if (nearest.empty()) {
      far += (far.empty() ? "" : ", ") + variable;
    } else {
      warnings.push_back("nothing reads the environment variable " + variable +
                         "; the nearest is \"" + nearest + "\"");
    }
  }
  if (!far.empty()) {
    warnings.push_back("nothing reads of the environment: " + far);
  }
  return warnings;
}

void BindEnvironment(CLI::App& app) {
  // Read by the Python client.
  std::vector<std::string> known = {"INKSTREAM_BINARY", "INKSTREAM_LIBRARY"};
  BindOptions(app, &known);
  for (CLI::App* command : app.get_subcommands(nullptr)) {
    BindOptions(*command, &known);
  }
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    variables.push_back(text.substr(0, text.find('=')));
  }
  std::sort(variables.begin(), variables.end());
  for (const std::string& warning : UnknownVariableWarnings(variables, known)) {
    spdlog::warn("{}", warning);
  }
}

}  // namespace inkstream::app
