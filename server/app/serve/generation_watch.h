// Notices new generations of the stores that are served, and has them served.
//
// A store's MANIFEST is replaced by rename, so a change of the file's identity
// is a new generation. It is looked at, not subscribed to: inotify tells
// nothing of changes made by other machines on a network file system.
//
// Where an operator has named the generation in use, newer ones are served to
// whoever names them.
//
// A MANIFEST may come before the segments that it names (rsync copies in file
// order), so one that cannot be opened is tried again, in growing pauses, for
// as long as it stands there. So is a store that lost a file while it was
// served: when the file is whole again, it is opened anew.
//
// Thread safety: a thread for each store from the constructor to the
// destructor, which does not wait for one that hangs in a file system; LookNow
// from any.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "server/app/serve/detached_thread.h"
#include "server/batch/engine.h"
#include "server/store/store_reader.h"

namespace inkstream::app {

class GenerationWatch {
 public:
  // What distinguishes one MANIFEST from the next; nullopt: there is none.
  using Identity = std::optional<std::tuple<dev_t, ino_t, int64_t, int64_t>>;
  static Identity IdentityOf(const std::string& store);

  struct Served {
    std::string name;   // of the dataset
    std::string path;   // of the store
    Identity manifest;  // asked for before the store was opened
    std::shared_ptr<const store::StoreReader> store;
  };

  // How a dataset stands.
  struct State {
    // At the store's path is what is not served in its place.
    bool successor_refused = false;
    // A file of the store cannot be read any more; "": all can.
    std::string lost;
  };
  using Report = std::function<void(const std::string& dataset, const State&)>;

  // `report`, where there is one, is called by the store's thread, at its
  // beginning and whenever a state changes.
  // `engine`, and what `report` uses, outlive the watch.
  GenerationWatch(batch::Engine* engine, std::vector<Served> stores,
                  const store::OpenOptions& options,
                  std::chrono::milliseconds interval, const Report& report);
  ~GenerationWatch();
  GenerationWatch(const GenerationWatch&) = delete;
  GenerationWatch& operator=(const GenerationWatch&) = delete;

  // Looks at every store at once, whatever pause it is in, and logs what came
  // of it. Waits for that, at most for so long.
  void LookNow(std::chrono::milliseconds patience);

 private:
  class StoreWatch;
  struct Store {
    std::shared_ptr<StoreWatch> watch;  // shared with its thread
    std::unique_ptr<DetachedThread> thread;
  };

  std::vector<Store> stores_;
};

}  // namespace inkstream::app
