// The configuration of a server: flags, then the environment, then a file, each
// for what those before it have not set. The file may be read again.
//
// Thread safety: call from the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/app/serve/server_lifecycle.h"

namespace inkstream::app {

class ServeConfig {
 public:
  // `command` has AddServeFlags' options, as the command line and the
  // environment have set them. `file`: "": there is none. Throws
  // CLI::ParseError for what is wrong in it.
  ServeConfig(const CLI::App& command, std::string file);

  const ServeOptions& options() const { return options_; }

  // In TOML, with every option that is set or has a default.
  const std::string& text() const { return text_; }

  // Reads the file again. What only a new process can change must be as it was,
  // or nothing is taken: FAILED_PRECONDITION names the options.
  // INVALID_ARGUMENT: what is wrong in the file, and where.
  absl::StatusOr<ServeOptions> ReadAgain();

 private:
  using Values = std::map<std::string, std::vector<std::string>>;

  // Sets what this returns, and the rest.
  Values Read(ServeOptions* options, std::string* text) const;

  const std::string file_;
  Values given_;  // by the command line and the environment
  Values values_;
  ServeOptions options_;
  std::string text_;
};

}  // namespace inkstream::app
