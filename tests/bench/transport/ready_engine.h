// An engine whose streams cost nothing: each lays out its first batch and hands
// it out again and again, so that what is left to measure is the transport.
//
// Everything else is the real engine's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/batch/engine.h"

namespace inkstream::bench {

class ReadyEngine : public batch::Engine {
 public:
  explicit ReadyEngine(std::unique_ptr<batch::Engine> engine)
      : engine_(std::move(engine)) {}

  absl::StatusOr<std::shared_ptr<batch::BatchStream>> OpenStreamFor(
      const std::string& caller, const Plan& plan,
      const batch::AccountOf& account_of) override;

  absl::Status AddDataset(
      const std::string& name,
      std::shared_ptr<const store::StoreReader> store) override {
    return engine_->AddDataset(name, std::move(store));
  }
  absl::Status AddGeneration(
      const std::string& name,
      std::shared_ptr<const store::StoreReader> store) override {
    return engine_->AddGeneration(name, std::move(store));
  }
  absl::Status UseGenerations(
      const std::map<std::string, std::string>& fingerprints) override {
    return engine_->UseGenerations(fingerprints);
  }
  std::vector<batch::ServedStore> stores() const override {
    return engine_->stores();
  }
  batch::CacheUse caches() const override { return engine_->caches(); }
  std::vector<std::string> datasets() const override {
    return engine_->datasets();
  }
  const batch::EngineOptions& options() const override {
    return engine_->options();
  }
  int workers() const override { return engine_->workers(); }
  absl::StatusOr<batch::DatasetFacts> DescribeGeneration(
      const std::string& dataset, const std::string& fingerprint,
      const View& view) const override {
    return engine_->DescribeGeneration(dataset, fingerprint, view);
  }
  absl::StatusOr<batch::ExplainedPlan> Explain(
      const Plan& plan, const batch::StepsAsked& asked) override {
    return engine_->Explain(plan, asked);
  }
  std::unique_ptr<batch::KeyUpload> NewUpload(
      const std::string& caller) override {
    return engine_->NewUpload(caller);
  }
  absl::StatusOr<batch::KeptKeys> Keep(
      std::unique_ptr<batch::KeyUpload> upload) override {
    return engine_->Keep(std::move(upload));
  }
  uint64_t max_keys() const override { return engine_->max_keys(); }
  uint64_t max_weights() const override { return engine_->max_weights(); }
  std::shared_ptr<batch::MemoryArbiter> Arbitrate(
      std::shared_ptr<batch::BufferPool> pool) override {
    return engine_->Arbitrate(std::move(pool));
  }
  std::function<void()> Fetch(
      batch::FetchPlan plan, std::shared_ptr<batch::MemoryArbiter> memory,
      batch::FetchCaller caller,
      std::function<void(absl::StatusOr<batch::FetchedBatch>)> done) override {
    return engine_->Fetch(std::move(plan), std::move(memory), std::move(caller),
                          std::move(done));
  }
  std::function<void()> FetchHere(
      batch::FetchPlan plan, std::shared_ptr<batch::MemoryArbiter> memory,
      std::function<void(absl::StatusOr<batch::FetchedBatch>)> done) override {
    return engine_->FetchHere(std::move(plan), std::move(memory),
                              std::move(done));
  }
  absl::StatusOr<uint64_t> PriceFetch(
      const batch::FetchPlan& plan) const override {
    return engine_->PriceFetch(plan);
  }
  absl::StatusOr<batch::InspectedDrawing> Inspect(const std::string& dataset,
                                                  uint64_t index,
                                                  int64_t key_id) override {
    return engine_->Inspect(dataset, index, key_id);
  }
  absl::Status Run(const std::string& caller, size_t bytes,
                   std::function<void()> work) override {
    return engine_->Run(caller, bytes, std::move(work));
  }
  uint32_t open_streams() const override { return engine_->open_streams(); }
  void Stop() override { engine_->Stop(); }

 private:
  const std::unique_ptr<batch::Engine> engine_;
};

}  // namespace inkstream::bench
