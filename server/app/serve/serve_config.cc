#include "server/app/serve/serve_config.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/app/flags/config_file.h"
#include "server/app/serve/serve_flags.h"

namespace inkstream::app {
namespace {

// What a running server looks up when it needs it.
const std::set<std::string>& ChangeableAtAnyTime() {
  static const auto* const names =
      new std::set<std::string>{"drain-delay", "drain-spread", "grace"};
  return *names;
}

}  // namespace

ServeConfig::ServeConfig(const CLI::App& command, std::string file)
    : file_(std::move(file)) {
  for (const CLI::Option* option : command.get_options()) {
    if (!option->empty() && MayBeInAFile(*option)) {
      given_[option->get_lnames().front()] = option->results();
    }
  }
  values_ = Read(&options_, &text_);
}

ServeConfig::Values ServeConfig::Read(ServeOptions* options,
                                      std::string* text) const {
  CLI::App command;
  ServeFlags flags;
  AddServeFlags(&command, &flags);
  for (const auto& [name, results] : given_) {
    CLI::Option* const option = command.get_option("--" + name);
    option->add_result(results);
    option->run_callback();
  }
  if (!file_.empty()) ApplyConfigFile(&command, file_);
  Values values;
  for (const CLI::Option* option : command.get_options()) {
    if (MayBeInAFile(*option)) {
      values[option->get_lnames().front()] = ValuesOf(*option);
    }
  }
  *text = ConfigText(command);
  *options = OptionsOf(flags);
  return values;
}

absl::StatusOr<ServeOptions> ServeConfig::ReadAgain() {
  ServeOptions options;
  std::string text;
  Values values;
  try {
    values = Read(&options, &text);
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  std::vector<std::string> fixed;
  for (const auto& [name, now] : values) {
    if (now != values_[name] && !ChangeableAtAnyTime().contains(name)) {
      fixed.push_back(name);
    }
  }
  if (!fixed.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(file_, ": ", absl::StrJoin(fixed, ", "),
                     " can be changed by a restart only"));
  }
  values_ = std::move(values);
  text_ = std::move(text);
  options_ = options;
  return options_;
}

}  // namespace inkstream::app
