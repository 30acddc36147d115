#include "server/app/flags/log_flags.h"

namespace inkstream::app {

LogFlags AddLogFlags(CLI::App* app, std::string* level, std::string* format) {
  CLI::Option* const level_flag =
      app->add_option("--log-level", *level,
                      "What is logged to standard error (debug, info, warn, "
                      "error)")
          ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
          ->capture_default_str();
  CLI::Option* const format_flag =
      app->add_option("--log-format", *format,
                      "Form of its lines: text, or json, one object a line")
          ->check(CLI::IsMember({"text", "json"}))
          ->capture_default_str();
  return {level_flag, format_flag};
}

}  // namespace inkstream::app
