// The options of `serve`, however they are given.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "server/app/serve/server_lifecycle.h"

namespace inkstream::app {

// As CLI11 fills it in; times in seconds.
struct ServeFlags {
  ServeOptions options;
  double stall = 60;
  double drain_delay = 5;
  double drain_spread = 5;
  double grace = 20;
  double rebalance = 1800;
  double handshake = 10;
  double idle = 3600;
  std::string unix_mode;
  std::string unix_group;
};

// All that may be in a configuration file. `flags` outlives the command.
void AddServeFlags(CLI::App* command, ServeFlags* flags);

ServeOptions OptionsOf(const ServeFlags& flags);

}  // namespace inkstream::app
