#include "server/app/flags/target_flag.h"

#include "client/cpp/call/target.h"

namespace inkstream::app {

CLI::Option* AddTargetFlag(CLI::App* command, std::string* target,
                           const std::string& description) {
  const auto check = [](const std::string& given) {
    return std::string(client::EndpointsOf(given).status().message());
  };
  return command->add_option("--target", *target, description)
      ->check(CLI::Validator(check, ""))
      ->capture_default_str();
}

}  // namespace inkstream::app
