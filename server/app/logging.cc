#include "server/app/logging.h"

#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace inkstream::app {

void SetUpLogging() {
  if (spdlog::get("inkstream") != nullptr) return;
  spdlog::set_default_logger(spdlog::stderr_color_mt("inkstream"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
}

void SetLogLevel(const std::string& level) {
  spdlog::set_level(spdlog::level::from_str(level));
}

}  // namespace inkstream::app
