// The engine over real threads: see engine.h for what it promises.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/batch/dataset.h"
#include "server/batch/engine.h"
#include "server/batch/job/batch_job.h"
#include "server/batch/job/fetch_job.h"
#include "server/batch/job/fetch_request.h"
#include "server/batch/job/stream_places.h"
#include "server/batch/ordered_stream.h"
#include "server/batch/served_datasets.h"
#include "server/batch/view/view_cache.h"
#include "server/batch/work/memory_arbiter.h"
#include "server/batch/work/request_threads.h"
#include "server/batch/work/worker_pool.h"

namespace inkstream::batch {

class ServingEngine : public Engine {
 public:
  // `options` has no zeros.
  explicit ServingEngine(const EngineOptions& options);
  ~ServingEngine() override;

  absl::Status AddDataset(
      const std::string& name,
      std::shared_ptr<const store::StoreReader> store) override {
    return datasets_.Add(name, std::move(store));
  }
  std::vector<std::string> datasets() const override {
    return datasets_.names();
  }
  std::vector<ServedStore> stores() const override;
  CacheUse caches() const override;
  const EngineOptions& options() const override { return options_; }
  int workers() const override { return options_.workers; }
  absl::StatusOr<DatasetFacts> DescribeGeneration(
      const std::string& dataset, const std::string& fingerprint,
      const View& view) const override;
  absl::Status AddGeneration(
      const std::string& name,
      std::shared_ptr<const store::StoreReader> store) override {
    return datasets_.AddGeneration(name, std::move(store));
  }
  absl::Status UseGenerations(
      const std::map<std::string, std::string>& fingerprints) override {
    return datasets_.UseGenerations(fingerprints);
  }
  absl::StatusOr<std::shared_ptr<BatchStream>> OpenStreamFor(
      const std::string& caller, const Plan& plan,
      MemoryArbiter* memory) override;
  absl::StatusOr<ExplainedPlan> Explain(const Plan& plan,
                                        const StepsAsked& asked) override;
  std::unique_ptr<KeyUpload> NewUpload(const std::string& caller) override {
    return views_.key_sets().NewUpload(caller);
  }
  absl::StatusOr<KeptKeys> Keep(std::unique_ptr<KeyUpload> upload) override;
  uint64_t max_keys() const override { return views_.key_sets().max_keys(); }
  uint64_t max_weights() const override {
    return views_.key_sets().max_weights();
  }
  std::shared_ptr<MemoryArbiter> Arbitrate(
      std::shared_ptr<BufferPool> pool) override;
  std::function<void()> Fetch(FetchPlan plan,
                              std::shared_ptr<MemoryArbiter> memory,
                              FetchCaller caller, FetchDone done) override;
  std::function<void()> FetchHere(FetchPlan plan,
                                  std::shared_ptr<MemoryArbiter> memory,
                                  FetchDone done) override;
  absl::StatusOr<uint64_t> PriceFetch(const FetchPlan& plan) const override;
  absl::StatusOr<InspectedDrawing> Inspect(const std::string& dataset,
                                           uint64_t index,
                                           int64_t key_id) override;
  absl::Status Run(const std::string& caller, size_t bytes,
                   std::function<void()> work) override;
  uint32_t open_streams() const override { return places_->taken(); }
  void Stop() override;

 private:
  absl::StatusOr<std::shared_ptr<OrderedStream>> Open(
      const std::string& caller, const Plan& plan, MemoryArbiter* memory);
  // The dataset, in its newest generation, for a request that reads its store.
  // IsParked(): it does so later.
  absl::StatusOr<Dataset> Use(const std::string& dataset) const;
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
