// The server without a network: datasets, worker threads, budgets. Transports
// turn requests into plans and pull batches from what it opens.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/batch/batch_stream.h"
#include "server/batch/engine_options.h"
#include "server/batch/job/buffer_pool.h"
#include "server/batch/job/fetch_request.h"
#include "server/batch/job/stream_places.h"
#include "server/batch/plan/explained_plan.h"
#include "server/batch/plan/fetch_plan.h"
#include "server/batch/served_datasets.h"
#include "server/batch/view/view_cache.h"
#include "server/batch/work/memory_arbiter.h"
#include "server/batch/work/request_threads.h"
#include "server/batch/work/worker_pool.h"

namespace inkstream::batch {

class OrderedStream;

class Engine {
 public:
  static absl::StatusOr<std::unique_ptr<Engine>> Create(
      const EngineOptions& options);
  virtual ~Engine();

  // ALREADY_EXISTS: the name is taken. INVALID_ARGUMENT: not a name.
  absl::Status AddDataset(const std::string& name,
                          std::shared_ptr<const store::StoreReader> store) {
    return datasets_.Add(name, std::move(store));
  }

  // Serves `store` under a name that is served already, as its newest
  // generation, which is the one in use unless UseGenerations() says another.
  // The others answer to their fingerprints, as many as
  // options().retain_generations; streams that use one keep it open.
  // NOT_FOUND: no such dataset.
  absl::Status AddGeneration(const std::string& name,
                             std::shared_ptr<const store::StoreReader> store) {
    return datasets_.AddGeneration(name, std::move(store));
  }

  // The generations in use by dataset, whatever is newer; of datasets that are
  // not named, the newest. All of it or nothing: NOT_FOUND: no such dataset;
  // UNAVAILABLE: a generation that is not served. Both name what is.
  absl::Status UseGenerations(
      const std::map<std::string, std::string>& fingerprints) {
    return datasets_.UseGenerations(fingerprints);
  }

  std::vector<std::string> datasets() const { return datasets_.names(); }
  std::vector<ServedStore> stores() const;  // by name
  CacheUse caches() const;
  const EngineOptions& options() const { return options_; }  // without zeros
  int workers() const { return options_.workers; }

  // `dataset` may be empty where there is one. NOT_FOUND names the nearest.
  // `fingerprint` "": the generation in use.
  absl::StatusOr<DatasetFacts> DescribeGeneration(
      const std::string& dataset, const std::string& fingerprint,
      const View& view) const;
  absl::StatusOr<DatasetFacts> Describe(const std::string& dataset,
                                        const View& view) const {
    return DescribeGeneration(dataset, "", view);
  }

  // Validates and prices the plan before anything is allocated. Batches are
  // laid out in `memory`; under Codec::kStrokes they come as rows
  // (FinishedBatch::rows_form). Streams of the same `caller` share its turns at
  // the workers. The stream is cancelled when its last holder lets go of it.
  virtual absl::StatusOr<std::shared_ptr<BatchStream>> OpenStreamFor(
      const std::string& caller, const Plan& plan, MemoryArbiter* memory);

  // On behalf of nobody.
  absl::StatusOr<std::shared_ptr<BatchStream>> OpenStream(
      const Plan& plan, const std::shared_ptr<MemoryArbiter>& memory) {
    return OpenStreamFor("", plan, memory.get());
  }

  // Shares `pool` out; ends with the engine.
  std::shared_ptr<MemoryArbiter> Arbitrate(std::shared_ptr<BufferPool> pool);

  // What a stream of the plan would deliver. Errors as OpenStream.
  absl::StatusOr<ExplainedPlan> Explain(const Plan& plan,
                                        const StepsAsked& asked);

  // A set of keys, or of weights, that comes in bit by bit, in the memory of
  // key sets, of which one caller has its share. "": nobody, who has all of it.
  std::unique_ptr<KeyUpload> NewUpload(const std::string& caller) {
    return views_.key_sets().NewUpload(caller);
  }
  // Keeps a set for views and samplings to name by its hash. INVALID_ARGUMENT:
  // no keys, or weights that are all 0 or two of one drawing.
  absl::StatusOr<KeptKeys> Keep(std::unique_ptr<KeyUpload> upload) {
    return views_.key_sets().Keep(std::move(upload));
  }
  absl::StatusOr<KeptKeys> AddKeys(const std::vector<int64_t>& keys) {
    std::unique_ptr<KeyUpload> upload = NewUpload("");
    absl::Status added = upload->Add(keys);
    if (!added.ok()) return added;
    return Keep(std::move(upload));
  }
  uint64_t max_keys() const { return views_.key_sets().max_keys(); }  // of one
  uint64_t max_weights() const { return views_.key_sets().max_weights(); }

  // Lays out one batch; `done` is called once, from a thread of the engine (or
  // from this call, where too many requests wait). Does not block. What is
  // answered ends it early, from any thread: `done` is then called soon, if it
  // was not yet.
  std::function<void()> Fetch(FetchPlan plan,
                              std::shared_ptr<MemoryArbiter> memory,
                              FetchCaller caller, FetchDone done);

  // The same, begun on this thread: may take as long as a scan of a store.
  std::function<void()> FetchHere(FetchPlan plan,
                                  std::shared_ptr<MemoryArbiter> memory,
                                  FetchDone done);

  // Bytes of the answer to a fetch. Errors as those of the fetch, but for its
  // drawings and views.
  absl::StatusOr<uint64_t> PriceFetch(const FetchPlan& plan) const;

  // `key_id` 0: by index. NOT_FOUND: no drawing has the key.
  absl::StatusOr<InspectedDrawing> Inspect(const std::string& dataset,
                                           uint64_t index, int64_t key_id);

  // Runs `work` on a thread kept for requests that may take as long as a scan
  // of a store: OpenStream, Describe and Inspect belong there. Callers take
  // turns. `bytes`: of the request, as it came. Work that is answered
  // IsParked() returns without an answer of its own, and is run again.
  // RESOURCE_EXHAUSTED, with a retry delay: too many wait already.
  absl::Status Run(const std::string& caller, size_t bytes,
                   std::function<void()> work);

  uint32_t open_streams() const { return places_->taken(); }

  // Waits for the work being done and drops the rest. Streams that are still
  // open make no more progress. Idempotent; the destructor calls it.
  void Stop();

 protected:
  // REQUIRES: options.workers >= 0.
  explicit Engine(const EngineOptions& options);

 private:
  absl::StatusOr<std::shared_ptr<OrderedStream>> Open(const std::string& caller,
                                                      const Plan& plan,
                                                      MemoryArbiter* memory);
  // The dataset, in its newest generation, for a request that reads its store.
  // IsParked(): it does so later.
  absl::StatusOr<Dataset> Use(const std::string& dataset,
                              const std::string& fingerprint = "",
                              const char* field = "fingerprint") const;
  // In the generation that the plan names, or else its cursor.
  absl::StatusOr<Dataset> UseFor(const Plan& plan) const;
  struct PricedFetch {
    Dataset dataset;  // in the generation that is asked for
    DeliverySpec delivery;
    layout::LayoutRecipe recipe;
  };
  absl::StatusOr<PricedFetch> Price(const FetchPlan& plan) const;
  // Answers the request, or starts the job that does. `scratch`: the thread's.
  void Begin(const std::shared_ptr<FetchRequest>& request,
             WorkerScratch* scratch);
  absl::Status StartFetch(const std::shared_ptr<FetchRequest>& request,
                          WorkerScratch* scratch);

  const EngineOptions options_;
  const std::shared_ptr<WorkerPool> workers_;
  ServedDatasets datasets_;
  mutable RequestThreads requests_;
  // A request thread draws. No more than one does, so that beside n workers
  // those who fetch get one core in n + 1 on top of their turns.
  std::atomic<bool> request_draws_{false};
  mutable ViewCache views_;
  const std::shared_ptr<StreamPlaces> places_;
  std::mutex mu_;
  std::vector<std::weak_ptr<MemoryArbiter>> arbiters_;  // guarded by mu_
  // Of fetches that are begun where they are asked for; guarded by mu_.
  std::vector<std::unique_ptr<WorkerScratch>> scratches_;
};

}  // namespace inkstream::batch
