#include "server/app/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "server/batch/nearest_name.h"
#include "spdlog/spdlog.h"

namespace inkstream::app {
namespace {

constexpr char kPrefix[] = "INKSTREAM_";

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.rfind(prefix, 0) == 0;
}

bool EndsWith(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

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
  std::string variable = kPrefix;
  for (const char c : option) {
    variable += c == '-' ? '_' : static_cast<char>(std::toupper(c));
  }
  return variable;
}

bool IsInjectedByKubernetes(const std::string& variable) {
  return StartsWith(variable, "INKSTREAM_PORT") ||
         StartsWith(variable, "INKSTREAM_SERVICE_") ||
         EndsWith(variable, "_PORT");
}

std::vector<std::string> UnknownVariableWarnings(
    const std::vector<std::string>& variables,
    const std::vector<std::string>& known) {
  std::vector<std::string> warnings;
  for (const std::string& variable : variables) {
    if (!StartsWith(variable, kPrefix) || IsInjectedByKubernetes(variable) ||
        std::find(known.begin(), known.end(), variable) != known.end()) {
      continue;
    }
    warnings.push_back("nothing reads the environment variable " + variable +
                       batch::NearestHint(variable, known));
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
