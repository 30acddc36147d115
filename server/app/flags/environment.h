// Options from INKSTREAM_<OPTION> environment variables.
//
// Thread safety: reads the process environment; call before threads start.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace inkstream::app {

// Lets every long option of every subcommand be set by its variable (a flag
// given on the command line wins), and warns on standard error about INKSTREAM_
// variables that nothing reads.
void BindEnvironment(CLI::App& app);

// INKSTREAM_MAX_ERRORS for "max-errors".
std::string EnvironmentName(const std::string& option);

// True for variables that Kubernetes puts into each container for a Service
// that is called inkstream, inkstream-metrics or the like: they mean nothing
// here.
bool IsInjectedByKubernetes(const std::string& variable);

// The warnings for `variables` (names only), in order: one for each that is
// like one of `known`, which something reads, and one for all others.
std::vector<std::string> UnknownVariableWarnings(
    const std::vector<std::string>& variables,
    const std::vector<std::string>& known);

}  // namespace inkstream::app
