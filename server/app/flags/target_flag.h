// --target, and how to know and be known there.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "inkstream/security_options.h"

namespace inkstream::app {

struct TargetFlags {
  std::string target = "127.0.0.1:50051";
  bool tls = false;
  TlsOptions files;
  std::string token_file;

  // Any flag about TLS asks for it.
  SecurityOptions security() const;
};

// Refuses what can be no address, with what was probably meant.
void AddTargetFlags(CLI::App* command, TargetFlags* flags);

}  // namespace inkstream::app
