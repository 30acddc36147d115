#include "server/app/flags/config_file.h"

#include <fstream>
#include <vector>

#include "server/app/flags/command_line.h"
#include "server/batch/nearest_name.h"

namespace inkstream::app {
namespace {

std::vector<std::string> OptionNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (name != "help" && name != "config") names.push_back(name);
    }
  }
  return names;
}

}  // namespace

// CLI11 reads configuration files for the whole program only, not for one of
// its subcommands.
void ApplyConfigFile(CLI::App* command, const std::string& path) {
  std::ifstream file(path);
  if (!file) throw CLI::FileError("--config: cannot read " + path);
  const CLI::ConfigTOML format;
  for (const CLI::ConfigItem& item : format.from_config(file)) {
    CLI::Option* const option =
        command->get_option_no_throw("--" + item.fullname());
    if (option == nullptr || item.name == "config" || item.name == "help") {
      throw CLI::ConfigError(
          path + ": there is no option " + item.fullname() +
              batch::NearestHint(item.fullname(), OptionNames(*command)),
          CLI::ExitCodes::ConfigError);
    }
    if (!option->empty()) continue;
    if (option->get_expected_min() == 0) {
      option->add_result(
          option->get_flag_value(item.name, format.to_flag(item)));
    } else {
      option->add_result(item.inputs);
    }
    option->run_callback();
  }
}

}  // namespace inkstream::app
