// The server without a network: datasets, worker threads, budgets. Transports
// turn requests into plans and pull batches from what it opens.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/drawing.h"
#include "inkstream/plan.h"
#include "server/batch/batch_stream.h"
#include "server/batch/job/buffer_pool.h"
#include "server/batch/plan/explained_plan.h"
#include "server/batch/view/key_upload.h"
#include "server/batch/work/lru_map.h"
#include "server/batch/work/memory_arbiter.h"
#include "server/batch/work/worker_pool.h"
#include "server/layout/batch_layout.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

// Bytes of what is kept between requests.
struct CacheUse {
  uint64_t view_budget = 0;
  uint64_t view_bytes = 0;
  uint64_t key_budget = 0;  // part of view_budget
  uint64_t key_bytes = 0;
  Lookups views;
  Lookups keys;
};

// What a dataset's requests get that name no generation.
struct ServedStore {
  std::string dataset;
  std::shared_ptr<const store::StoreReader> store;
  // Why it cannot be read at this moment: files are lost, or their disk does
  // not answer. "": it can, as far as is known.
  std::string problem;
};

// Every limit a request is checked against; all of them are in
// DescribeDataset.
struct Limits : layout::BatchLimits {
  uint32_t max_fetch_indices = 4096;  // drawings a FetchDrawings
  uint32_t max_credits = 8;           // batches ahead of a client
  uint32_t max_streams = 1024;        // open at once
  uint32_t max_world = 65536;         // ranks
};

struct EngineOptions {
  Limits limits;
  int workers = 0;            // threads that lay out batches; 0: one a core
  uint64_t batch_memory = 0;  // bytes of batches in flight; 0: 25 % of memory
  uint64_t view_memory = 0;   // bytes of kept views; 0: 5 % of memory
  // Of a dataset, the newest and the one in use included.
  uint32_t retain_generations = 2;
  // Lays out the batches, in place of a pool of its own, and is not stopped
  // with the engine.
  std::shared_ptr<WorkerPool> pool;
};

struct DatasetFacts {
  std::string dataset;  // served name
  std::shared_ptr<const store::StoreReader> store;
  uint64_t view_size = 0;
  std::vector<std::string> classes;    // of the view, label order
  std::vector<uint64_t> class_counts;  // of the view
};

// What FetchDrawings asks for: exactly one of the lists is set. `delivery` is
// read for its tensors, columns, augmentation and codec. With `seed`, `epoch`
// and `first_view` those of a stream, the tensors are what the stream gave.
struct FetchPlan {
  std::string dataset;
  std::string fingerprint;  // hex; empty: of the generation in use
  View view;                // what `ranks` count in
  std::vector<uint64_t> indices;
  std::vector<uint64_t> ranks;
  std::vector<int64_t> key_ids;
  DeliverySpec delivery;
  uint64_t seed = 0;  // of the augmentation, as the three below
  uint64_t epoch = 0;
  uint32_t first_view = 0;  // number of the first of delivery.views copies
};

struct FetchedBatch {
  FinishedBatch batch;
  StreamFacts facts;  // of a stream of the same view; start has no order plan
};

// One drawing with what a person wants to know of it.
struct InspectedDrawing {
  uint64_t index = 0;
  int32_t label = -1;
  std::string split;  // the first that holds it
  Drawing drawing;
};

// On whose behalf a fetch is, and the bytes of its request.
struct FetchCaller {
  std::string name;
  size_t request_bytes = 0;
};

class Engine {
 public:
  static absl::StatusOr<std::unique_ptr<Engine>> Create(
      const EngineOptions& options);
  virtual ~Engine() = default;

  // ALREADY_EXISTS: the name is taken. INVALID_ARGUMENT: not a name.
  virtual absl::Status AddDataset(
      const std::string& name,
      std::shared_ptr<const store::StoreReader> store) = 0;

  // Serves `store` under a name that is served already, as its newest
  // generation, which is the one in use unless UseGenerations() says another.
  // The others answer to their fingerprints, as many as
  // options().retain_generations; streams that use one keep it open.
  // NOT_FOUND: no such dataset.
  virtual absl::Status AddGeneration(
      const std::string& name,
      std::shared_ptr<const store::StoreReader> store) = 0;

  // The generations in use by dataset, whatever is newer; of datasets that are
  // not named, the newest. All of it or nothing: NOT_FOUND: no such dataset;
  // UNAVAILABLE: a generation that is not served. Both name what is.
  virtual absl::Status UseGenerations(
      const std::map<std::string, std::string>& fingerprints) = 0;

  virtual std::vector<std::string> datasets() const = 0;
  virtual std::vector<ServedStore> stores() const = 0;  // by name
  virtual CacheUse caches() const = 0;
  virtual const EngineOptions& options() const = 0;  // resolved, no zeros
  virtual int workers() const = 0;

  // `dataset` may be empty where there is one. NOT_FOUND names the nearest.
  // `fingerprint` "": the generation in use.
  virtual absl::StatusOr<DatasetFacts> DescribeGeneration(
      const std::string& dataset, const std::string& fingerprint,
      const View& view) const = 0;
  absl::StatusOr<DatasetFacts> Describe(const std::string& dataset,
                                        const View& view) const {
    return DescribeGeneration(dataset, "", view);
  }

  // Validates and prices the plan before anything is allocated. Batches are
  // laid out in `memory`; under Codec::kStrokes they come as rows
  // (FinishedBatch::rows_form). Streams of the same `caller` share its turns at
  // the workers. The stream is cancelled when its last holder lets go of it.
  virtual absl::StatusOr<std::shared_ptr<BatchStream>> OpenStreamFor(
      const std::string& caller, const Plan& plan, MemoryArbiter* memory) = 0;

  // On behalf of nobody.
  absl::StatusOr<std::shared_ptr<BatchStream>> OpenStream(
      const Plan& plan, const std::shared_ptr<MemoryArbiter>& memory) {
    return OpenStreamFor("", plan, memory.get());
  }

  // Shares `pool` out; ends with the engine.
  virtual std::shared_ptr<MemoryArbiter> Arbitrate(
      std::shared_ptr<BufferPool> pool) = 0;

  // What a stream of the plan would deliver. Errors as OpenStream.
  virtual absl::StatusOr<ExplainedPlan> Explain(const Plan& plan,
                                                const StepsAsked& asked) = 0;

  // A set of keys, or of weights, that comes in bit by bit, in the memory of
  // key sets, of which one caller has its share. "": nobody, who has all of it.
  virtual std::unique_ptr<KeyUpload> NewUpload(const std::string& caller) = 0;
  // Keeps a set for views and samplings to name by its hash. INVALID_ARGUMENT:
  // no keys, or weights that are all 0 or two of one drawing.
  virtual absl::StatusOr<KeptKeys> Keep(std::unique_ptr<KeyUpload> upload) = 0;
  absl::StatusOr<KeptKeys> AddKeys(const std::vector<int64_t>& keys) {
    std::unique_ptr<KeyUpload> upload = NewUpload("");
    absl::Status added = upload->Add(keys);
    if (!added.ok()) return added;
    return Keep(std::move(upload));
  }
  virtual uint64_t max_keys() const = 0;  // of one set
  virtual uint64_t max_weights() const = 0;

  // Lays out one batch; `done` is called once, from a thread of the engine (or
  // from this call, where too many requests wait). Does not block. What is
  // answered ends it early, from any thread: `done` is then called soon, if it
  // was not yet.
  virtual std::function<void()> Fetch(
      FetchPlan plan, std::shared_ptr<MemoryArbiter> memory, FetchCaller caller,
      std::function<void(absl::StatusOr<FetchedBatch>)> done) = 0;

  // The same, begun on this thread: may take as long as a scan of a store.
  virtual std::function<void()> FetchHere(
      FetchPlan plan, std::shared_ptr<MemoryArbiter> memory,
      std::function<void(absl::StatusOr<FetchedBatch>)> done) = 0;

  // Bytes of the answer to a fetch. Errors as those of the fetch, but for its
  // drawings and views.
  virtual absl::StatusOr<uint64_t> PriceFetch(const FetchPlan& plan) const = 0;

  // `key_id` 0: by index. NOT_FOUND: no drawing has the key.
  virtual absl::StatusOr<InspectedDrawing> Inspect(const std::string& dataset,
                                                   uint64_t index,
                                                   int64_t key_id) = 0;

  // Runs `work` on a thread kept for requests that may take as long as a scan
  // of a store: OpenStream, Describe and Inspect belong there. Callers take
  // turns. `bytes`: of the request, as it came. Work that is answered
  // IsParked() returns without an answer of its own, and is run again.
  // RESOURCE_EXHAUSTED, with a retry delay: too many wait already.
  virtual absl::Status Run(const std::string& caller, size_t bytes,
                           std::function<void()> work) = 0;

  virtual uint32_t open_streams() const = 0;

  // Waits for the work being done and drops the rest. Streams that are still
  // open make no more progress. Idempotent; the destructor calls it.
  virtual void Stop() = 0;
};

}  // namespace inkstream::batch
