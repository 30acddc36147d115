#include "server/app/serve/served_stores.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/nearest_name.h"
#include "server/batch/served_datasets.h"

namespace inkstream::app {
namespace {

constexpr size_t kFingerprintDigits = 64;

struct OpenedStore {
  GenerationWatch::Served newest;
  std::shared_ptr<const store::StoreReader> in_use;
};

absl::StatusOr<OpenedStore> OpenOne(const std::string& argument,
                                    const ServeOptions& options,
                                    store::OpenOptions how) {
  NamedStore named = ParseStoreArgument(argument);
  const GenerationWatch::Identity manifest =
      GenerationWatch::IdentityOf(named.path);
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> newest =
      store::StoreReader::Open(named.path, how);
  if (!newest.ok()) return newest.status();
  if (named.name.empty()) named.name = (*newest)->info().name;
  OpenedStore opened = {{named.name, named.path, manifest, *newest}, *newest};
  const auto generations = GenerationsOf(options);
  const auto pinned = generations.find(named.name);
  if (pinned == generations.end() ||
      pinned->second == (*newest)->info().fingerprint) {
    return opened;
  }
  how.fingerprint = pinned->second;
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> older =
      store::StoreReader::Open(named.path, how);
  if (!older.ok()) {
    return absl::Status(older.status().code(),
                        absl::StrCat("--generation ", named.name, ": ",
                                     older.status().message()));
  }
  opened.in_use = *std::move(older);
  return opened;
}

absl::StatusOr<std::vector<OpenedStore>> OpenAll(
    const ServeOptions& options, const store::OpenOptions& how,
    const std::function<void(std::string)>& loading) {
  std::vector<OpenedStore> all;
  std::vector<std::string> names;
  for (const std::string& argument : options.stores) {
    loading(absl::StrCat("reading ", ParseStoreArgument(argument).path, ", ",
                         all.size() + 1, " of ", options.stores.size()));
    absl::StatusOr<OpenedStore> opened = OpenOne(argument, options, how);
    if (!opened.ok()) return opened.status();
    names.push_back(opened->newest.name);
    all.push_back(*std::move(opened));
  }
  for (const auto& [name, fingerprint] : GenerationsOf(options)) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--generation: there is no dataset ", Quoted(name),
                       NearestHint(name, names)));
    }
  }
  return all;
}

void Tell(const OpenedStore& opened) {
  const store::StoreInfo& info = opened.in_use->info();
  spdlog::info("dataset {}: {} drawings, {} classes, from {}, fingerprint {}{}",
               opened.newest.name, info.drawings, info.classes.size(),
               opened.newest.path, info.fingerprint,
               opened.in_use == opened.newest.store
                   ? ""
                   : absl::StrCat(", by --generation; the newest there is ",
                                  opened.newest.store->info().fingerprint));
}

}  // namespace

NamedStore ParseStoreArgument(const std::string& argument) {
  const size_t equals = argument.find('=');
  const size_t slash = argument.find('/');
  if (equals == std::string::npos || equals == 0 || slash < equals) {
    return {"", argument};
  }
  return {argument.substr(0, equals), argument.substr(equals + 1)};
}

std::string CheckGenerationArgument(const std::string& argument) {
  const size_t equals = argument.find('=');
  const std::string fingerprint =
      equals == std::string::npos ? "" : argument.substr(equals + 1);
  if (equals != 0 && fingerprint.size() == kFingerprintDigits &&
      fingerprint.find_first_not_of("0123456789abcdef") == std::string::npos) {
    return "";
  }
  return absl::StrCat("\"", argument, "\" is not NAME=FINGERPRINT, with the ",
                      kFingerprintDigits,
                      " digits that `inkstream stats` prints");
}

std::map<std::string, std::string> GenerationsOf(const ServeOptions& options) {
  std::map<std::string, std::string> generations;
  for (const std::string& argument : options.generations) {
    const size_t equals = argument.find('=');
    generations[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  return generations;
}

store::OpenOptions OpenOptionsOf(const ServeOptions& options) {
  return {.check_columns = true, .preload = options.preload};
}

absl::StatusOr<std::vector<GenerationWatch::Served>> AddStores(
    const ServeOptions& options, batch::Engine* engine,
    const std::function<void(std::string)>& loading) {
  const absl::StatusOr<std::vector<OpenedStore>> all =
      OpenAll(options, OpenOptionsOf(options), loading);
  if (!all.ok()) return all.status();
  std::vector<GenerationWatch::Served> served;
  for (const OpenedStore& opened : *all) {
    absl::Status added = engine->AddDataset(opened.newest.name, opened.in_use);
    if (!added.ok()) return added;
    Tell(opened);
    served.push_back(opened.newest);
  }
  absl::Status used = engine->UseGenerations(GenerationsOf(options));
  for (const OpenedStore& opened : *all) {
    if (opened.newest.store == opened.in_use) continue;
    used.Update(engine->AddGeneration(opened.newest.name, opened.newest.store));
  }
  if (!used.ok()) return used;
  return served;
}

absl::Status CheckStores(const ServeOptions& options) {
  const absl::StatusOr<std::vector<OpenedStore>> all =
      OpenAll(options, {}, [](const std::string&) {});
  if (!all.ok()) return all.status();
  batch::ServedDatasets datasets(/*retain=*/1);
  for (const OpenedStore& opened : *all) {
    absl::Status added = datasets.Add(opened.newest.name, opened.in_use);
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

}  // namespace inkstream::app
