#include "server/app/serve/serve_config.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/app/flags/config_file.h"
#include "server/app/flags/log_flags.h"
#include "server/app/serve/serve_flags.h"

namespace inkstream::app {
namespace {

// What Take() in hangup.cc passes on, and what is looked up when it is needed.
const std::set<std::string>& ChangeableAtAnyTime() {
  static const auto* const names =
      new std::set<std::string>{"drain-delay", "drain-spread",
                                "generation",  "grace",
                                "log-level",   "max-connections",
                                "rebalance",   "max-connections-per-peer",
                                "stall"};
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
  // Those of the program are for the file too.
  for (const char* const name : {"log-level", "log-format"}) {
    const CLI::Option* const before =
        command.get_parent() == nullptr
            ? nullptr
            : command.get_parent()->get_option_no_throw(std::string("--") +
                                                        name);
    if (before != nullptr && !before->empty()) {
      given_.try_emplace(name, before->results());
    }
  }
  values_ = Read(&options_, &text_);
}

ServeConfig::Values ServeConfig::Read(ServeOptions* options,
                                      std::string* text) const {
  CLI::App command;
  options->grpc.version = INKSTREAM_VERSION;
  AddServeFlags(&command, options);
  AddLogFlags(&command, &options->log_level, &options->log_format);
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
