#include "server/app/commands.h"

#include "server/app/generate_command.h"
#include "server/app/health_command.h"
#include "server/app/serve_command.h"

namespace inkstream::app {

void AddCommands(CLI::App& app, int* exit_code) {
  AddGenerateCommand(app, exit_code);
  AddHealthCommand(app, exit_code);
  AddServeCommand(app, exit_code);
}

}  // namespace inkstream::app
