#include "server/app/commands/commands.h"

namespace inkstream::app {

void AddCommands(CLI::App& app, int* exit_code) {
  AddGenerateCommand(app, exit_code);
  AddIngestCommand(app, exit_code);
  AddMergeCommand(app, exit_code);
  AddVerifyCommand(app, exit_code);
  AddInspectCommand(app, exit_code);
  AddStatsCommand(app, exit_code);
  AddPlanCommand(app, exit_code);
  AddExportCommand(app, exit_code);
  AddHealthCommand(app, exit_code);
  AddServeCommand(app, exit_code);
  AddTokenCommand(app, exit_code);
  AddBenchCommand(app, exit_code);
}

}  // namespace inkstream::app
