// The stores of a server, under the names and in the generations that its
// options say.
//
// Thread safety: call from the main thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/app/serve/generation_watch.h"
#include "server/app/serve/server_lifecycle.h"
#include "server/batch/engine.h"
#include "server/store/store_reader.h"

namespace inkstream::app {

// NAME and PATH of a --store argument; NAME is empty where it is left out.
struct NamedStore {
  std::string name;
  std::string path;
};
NamedStore ParseStoreArgument(const std::string& argument);

// Of a --generation argument; "": it is NAME=FINGERPRINT.
std::string CheckGenerationArgument(const std::string& argument);
// Of options whose arguments were checked: dataset -> fingerprint, of the last
// one where there are several.
std::map<std::string, std::string> GenerationsOf(const ServeOptions& options);

// What is damaged is to be found before anybody is served, and not be taken up
// again.
store::OpenOptions OpenOptionsOf(const ServeOptions& options);

// Opens them, adds them to `engine`, and answers what of them is to be watched.
// `loading` is told what is being read. INVALID_ARGUMENT: a generation is of a
// dataset that there is not.
absl::StatusOr<std::vector<GenerationWatch::Served>> AddStores(
    const ServeOptions& options, batch::Engine* engine,
    const std::function<void(std::string)>& loading);

// Whether they can be opened and have names of their own, without reading them.
absl::Status CheckStores(const ServeOptions& options);

}  // namespace inkstream::app
