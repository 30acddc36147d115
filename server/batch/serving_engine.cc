#include "server/batch/serving_engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/batch/fetch_job.h"
#include "server/batch/machine_limits.h"
#include "server/batch/nearest_name.h"
#include "server/batch/ordered_stream.h"
#include "server/batch/plan_check.h"
#include "server/batch/plan_explainer.h"
#include "server/batch/status_reason.h"
#include "server/order/epoch_order.h"
#include "server/order/order_plan.h"

namespace inkstream::batch {
namespace {

// Drawing ahead makes way for threads that take requests and send what is
// drawn: with half their weight, FetchDrawings beside a stream takes 2.8
// instead of 3.3 to 4.0 ms, and streams alone are as fast.
constexpr int kWorkerNiceness = 3;
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

// Gives the caller sole ownership of a stream that workers refer to as well,
// and the engine its place for another one when the caller is done.
class OwnedStream : public BatchStream {
 public:
  OwnedStream(std::shared_ptr<OrderedStream> stream,
              std::shared_ptr<std::atomic<uint32_t>> open)
      : stream_(std::move(stream)), open_(std::move(open)) {}
  ~OwnedStream() override {
    stream_->Cancel();
    open_->fetch_sub(1);
  }

  const StreamFacts& facts() const override { return stream_->facts(); }
  void SetListener(std::function<void()> listener) override {
    stream_->SetListener(std::move(listener));
  }
  absl::Status Grant(uint32_t credits) override {
    return stream_->Grant(credits);
  }
  TakeResult TryTake() override { return stream_->TryTake(); }
  void Cancel() override { stream_->Cancel(); }
  WaitTimes wait_times() const override { return stream_->wait_times(); }
  order::Place place() const override { return stream_->place(); }
  uint32_t credits() const override { return stream_->credits(); }

 private:
  const std::shared_ptr<OrderedStream> stream_;
  const std::shared_ptr<std::atomic<uint32_t>> open_;
};

// A fetch that waits for a thread. Answers CANCELLED if it never gets one.
struct FetchRequest {
  FetchRequest(FetchPlan asked, FetchDone answer)
      : plan(std::move(asked)), done(std::move(answer)) {}
  ~FetchRequest() { Answer(absl::CancelledError("the server is stopping")); }
  FetchRequest(const FetchRequest&) = delete;
  FetchRequest& operator=(const FetchRequest&) = delete;

  void Answer(absl::Status status) {
    if (done != nullptr) std::exchange(done, nullptr)(std::move(status));
  }

  const FetchPlan plan;
  FetchDone done;
};

StreamFacts FactsOf(const Dataset& dataset, const ResolvedView& view) {
  StreamFacts facts;
  facts.dataset = dataset.name;
  facts.start.fingerprint = dataset.store->info().fingerprint;
  facts.view_size = view.size();
  facts.vocabulary = view.classes();
  facts.countrycodes = dataset.store->countrycodes();
  return facts;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(
    const EngineOptions& options) {
  EngineOptions resolved = options;
  const uint64_t memory = UsableMemory() / 10 * 9;
  if (resolved.workers < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("workers: ", resolved.workers, "; at least 0"));
  }
  if (resolved.workers == 0) resolved.workers = UsableCpus();
  if (resolved.batch_memory == 0) resolved.batch_memory = memory / 4;
  if (resolved.view_memory == 0) resolved.view_memory = memory / 20;
  return std::make_unique<ServingEngine>(resolved);
}

ServingEngine::ServingEngine(const EngineOptions& options)
    : options_(options),
      workers_(std::make_shared<WorkerPool>(options.workers, kWorkerNiceness)),
      views_(options.view_memory, options.workers),
      open_streams_(std::make_shared<std::atomic<uint32_t>>(0)) {}

ServingEngine::~ServingEngine() { Stop(); }

void ServingEngine::Stop() {
  requests_.Stop();
  workers_->Stop();
  const std::lock_guard<std::mutex> lock(mu_);
  for (const auto& [pool, gate] : gates_) gate->Stop();
  for (const std::weak_ptr<MemoryGate>& owned : owned_gates_) {
    if (const auto gate = owned.lock()) gate->Stop();
  }
}

absl::Status ServingEngine::AddDataset(
    const std::string& name, std::shared_ptr<const store::StoreReader> store) {
  absl::Status status = CheckDatasetName(name);
  if (!status.ok()) return status;
  const std::lock_guard<std::mutex> lock(mu_);
  const auto [place, added] = datasets_.try_emplace(name);
  if (!added) {
    return absl::AlreadyExistsError(
        absl::StrCat("dataset ", Quoted(name), " is served already, from ",
                     place->second.store->path(), "; give ", store->path(),
                     " another name: NAME=PATH"));
  }
  place->second = {name, std::move(store), {}};
  return absl::OkStatus();
}

absl::Status ServingEngine::AddGeneration(
    const std::string& name, std::shared_ptr<const store::StoreReader> store) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = datasets_.find(name);
  if (found == datasets_.end()) {
    return absl::NotFoundError(
        absl::StrCat("dataset: there is no ", Quoted(name)));
  }
  AddGenerationTo(&found->second, std::move(store),
                  options_.retain_generations);
  return absl::OkStatus();
}

std::vector<std::string> ServingEngine::datasets() const {
  const std::lock_guard<std::mutex> lock(mu_);
  std::vector<std::string> names;
  for (const auto& [name, dataset] : datasets_) names.push_back(name);
  return names;
}

absl::StatusOr<Dataset> ServingEngine::Find(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mu_);
  if (name.empty() && datasets_.size() == 1) return datasets_.begin()->second;
  const auto found = datasets_.find(name);
  if (found != datasets_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [served, dataset] : datasets_) names.push_back(served);
  if (name.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("dataset: not set, and this server has ", names.size(),
                     NearestHint(name, names)));
  }
  return absl::NotFoundError(absl::StrCat("dataset: there is no ", Quoted(name),
                                          NearestHint(name, names)));
}

absl::StatusOr<DatasetFacts> ServingEngine::DescribeGeneration(
    const std::string& dataset, const std::string& fingerprint,
    const View& view) const {
  absl::StatusOr<Dataset> found = Find(dataset);
  if (!found.ok()) return found.status();
  const absl::Status here = UseGeneration("fingerprint", fingerprint, &*found);
  if (!here.ok()) return here;
  absl::StatusOr<std::shared_ptr<const ResolvedView>> resolved =
      views_.Get(*found->store, view);
  if (!resolved.ok()) return resolved.status();
  return DatasetFacts{found->name, found->store, (*resolved)->size(),
                      (*resolved)->classes(), (*resolved)->class_counts()};
}

absl::StatusOr<std::unique_ptr<BatchStream>> ServingEngine::OpenStreamFor(
    const std::string& caller, const Plan& plan, const CarrierOf& carrier_of) {
  if (open_streams_->fetch_add(1) >= options_.limits.max_streams) {
    open_streams_->fetch_sub(1);
    return WithRetryDelay(
        WithReason(absl::ResourceExhaustedError(absl::StrCat(
                       "this server has ", options_.limits.max_streams,
                       " streams open, as many as it may (max_streams)")),
                   kReasonTooManyStreams),
        kRetryDelay);
  }
  absl::StatusOr<std::unique_ptr<BatchStream>> stream =
      Open(caller, plan, carrier_of);
  if (!stream.ok()) open_streams_->fetch_sub(1);
  return stream;
}

absl::StatusOr<ServingEngine::OpenedPlan> ServingEngine::Prepare(
    const Plan& plan) {
  absl::StatusOr<Dataset> dataset = Find(plan.dataset);
  if (!dataset.ok()) return dataset.status();
  absl::Status status =
      UseGeneration("open.fingerprint", plan.fingerprint, &*dataset);
  if (status.ok() && plan.fingerprint.empty() && plan.start.has_value()) {
    status = UseGeneration("open.cursor.fingerprint", plan.start->fingerprint,
                           &*dataset);
  }
  status.Update(CheckSharding(plan.delivery, options_.limits));
  if (!status.ok()) return status;
  absl::StatusOr<BatchLayout> layout =
      PriceDelivery(plan.delivery, options_, dataset->store->info().has_times);
  if (!layout.ok()) return layout.status();
  absl::StatusOr<std::shared_ptr<const SampledView>> sampled =
      SampledView::Create(&views_, *dataset->store, plan.view,
                          plan.order.sampling);
  if (!sampled.ok()) return sampled.status();
  Cursor start;
  start.fingerprint = dataset->store->info().fingerprint;
  start.order_plan = (*sampled)->OrderPlan(plan.order);
  start.plan_hash = order::OrderPlanHash(start.order_plan);
  start.seed = plan.order.seed;
  if (plan.start.has_value()) {
    status =
        order::CheckCursor(*plan.start, start.fingerprint, start.order_plan);
    if (!status.ok()) return status;
    start.epoch = plan.start->epoch;
    start.position = plan.start->position;
  }
  return OpenedPlan{*std::move(dataset), *std::move(layout),
                    *std::move(sampled), std::move(start)};
}

absl::StatusOr<std::unique_ptr<BatchStream>> ServingEngine::Open(
    const std::string& caller, const Plan& plan, const CarrierOf& carrier_of) {
  absl::StatusOr<OpenedPlan> opened = Prepare(plan);
  if (!opened.ok()) return opened.status();
  const std::shared_ptr<const SampledView>& sampled = opened->sampled;
  StreamFacts facts = FactsOf(opened->dataset, *sampled->view());
  facts.view_size = sampled->size();
  facts.start = opened->start;
  const order::Place place = {facts.start.epoch, facts.start.position};
  absl::StatusOr<order::StepSchedule> schedule =
      order::StepSchedule::Create(facts.view_size, plan.delivery, place);
  if (!schedule.ok()) return schedule.status();
  absl::StatusOr<order::EpochOrder> first_order =
      order::EpochOrder::Create(plan.order, sampled->mixture(), place.epoch);
  if (!first_order.ok()) return first_order.status();
  facts.steps_per_epoch = schedule->StepsFrom(0);

  // `layout` is about to move into the recipe.
  const uint64_t batch_bytes = opened->layout.Bytes(plan.delivery.batch_size);
  absl::StatusOr<std::shared_ptr<const BatchRecipe>> recipe =
      RecipeOf(opened->dataset, sampled, std::move(opened->layout),
               plan.delivery, plan.order.seed, /*first_view=*/0,
               RowsAPiece(plan.delivery, options_.workers));
  if (!recipe.ok()) return recipe.status();
  StreamCarrier carrier = carrier_of(batch_bytes);
  OrderedStreamParts parts = {*std::move(recipe),
                              std::move(facts),
                              plan.order,
                              *std::move(schedule),
                              place,
                              plan.delivery.max_batches,
                              plan.delivery.max_bad,
                              options_.limits.max_credits,
                              workers_,
                              GateOf(std::move(carrier.pool)),
                              caller,
                              std::move(carrier.packer)};
  return std::make_unique<OwnedStream>(
      std::make_shared<OrderedStream>(std::move(parts)), open_streams_);
}

absl::StatusOr<ExplainedPlan> ServingEngine::Explain(const Plan& plan,
                                                     const StepsAsked& asked) {
  absl::StatusOr<OpenedPlan> opened = Prepare(plan);
  if (!opened.ok()) return opened.status();
  ExplainedPlan explained;
  explained.dataset = opened->dataset.name;
  explained.start = opened->start;
  if (!plan.start.has_value()) explained.start.epoch = asked.epoch;
  absl::Status status =
      ExplainSteps(plan, asked, *opened->sampled, opened->layout,
                   options_.limits.max_batch_size, &explained);
  if (!status.ok()) return status;
  return explained;
}

absl::StatusOr<KeptKeys> ServingEngine::AddKeys(std::vector<int64_t> keys) {
  absl::StatusOr<std::shared_ptr<const KeySet>> kept =
      views_.key_sets().Add(std::move(keys));
  if (!kept.ok()) return kept.status();
  return KeptKeys{(*kept)->hash(), (*kept)->size()};
}

void ServingEngine::Fetch(FetchPlan plan, BufferPool* pool, FetchDone done) {
  const auto request =
      std::make_shared<FetchRequest>(std::move(plan), std::move(done));
  absl::Status status = requests_.Run([this, pool, request](auto* scratch) {
    absl::Status started =
        StartFetch(request->plan, pool, &request->done, scratch);
    if (!started.ok()) request->Answer(std::move(started));
  });
  if (!status.ok()) request->Answer(std::move(status));
}

absl::Status ServingEngine::StartFetch(const FetchPlan& plan, BufferPool* pool,
                                       FetchDone* done,
                                       WorkerScratch* scratch) {
  absl::StatusOr<Dataset> dataset = Find(plan.dataset);
  if (!dataset.ok()) return dataset.status();
  absl::Status status =
      UseGeneration("fingerprint", plan.fingerprint, &*dataset);
  status.Update(CheckFetch(plan, options_.limits));
  if (!status.ok()) return status;
  DeliverySpec delivery = plan.delivery;
  delivery.batch_size = static_cast<uint32_t>(
      plan.indices.size() + plan.ranks.size() + plan.key_ids.size());
  absl::StatusOr<BatchLayout> layout =
      PriceDelivery(delivery, options_, dataset->store->info().has_times);
  if (!layout.ok()) return layout.status();
  absl::StatusOr<std::shared_ptr<const ResolvedView>> view =
      views_.Get(*dataset->store, plan.view);
  if (!view.ok()) return view.status();
  absl::StatusOr<std::vector<uint64_t>> indices =
      IndicesOf(*dataset, **view, plan);
  if (!indices.ok()) return indices.status();
  absl::StatusOr<std::shared_ptr<const BatchRecipe>> recipe =
      RecipeOf(*dataset, std::make_shared<const SampledView>(*view),
               *std::move(layout), delivery, plan.seed, plan.first_view,
               FetchRowsAPiece(delivery, options_.workers));
  if (!recipe.ok()) return recipe.status();
  const auto job = std::make_shared<FetchJob>(
      *std::move(recipe), FactsOf(*dataset, **view), *std::move(indices),
      plan.epoch, workers_, std::exchange(*done, nullptr));
  job->Start(GateOf({std::shared_ptr<void>(), pool}).get(), &request_draws_,
             scratch);
  return absl::OkStatus();
}

absl::StatusOr<InspectedDrawing> ServingEngine::Inspect(
    const std::string& dataset, uint64_t index, int64_t key_id) {
  absl::StatusOr<Dataset> found = Find(dataset);
  if (!found.ok()) return found.status();
  FetchPlan plan;
  if (key_id != 0) {
    plan.key_ids = {key_id};
  } else {
    plan.indices = {index};
  }
  absl::StatusOr<std::shared_ptr<const ResolvedView>> everything =
      views_.Get(*found->store, View());
  if (!everything.ok()) return everything.status();
  absl::StatusOr<std::vector<uint64_t>> indices =
      IndicesOf(*found, **everything, plan);
  if (!indices.ok()) return indices.status();
  InspectedDrawing inspected;
  inspected.index = indices->front();
  inspected.label = found->store->Label(inspected.index);
  inspected.split = SplitOf(*found->store, inspected.index);
  absl::Status read = found->store->NewDrawingReader()->ReadDrawing(
      inspected.index, &inspected.drawing);
  if (!read.ok()) return read;
  return inspected;
}

absl::Status ServingEngine::Run(std::function<void()> work) {
  return requests_.Run(
      [work = std::move(work)](WorkerScratch* /*scratch*/) { work(); });
}

absl::StatusOr<std::shared_ptr<const BatchRecipe>> ServingEngine::RecipeOf(
    const Dataset& dataset, std::shared_ptr<const SampledView> sampled,
    BatchLayout layout, const DeliverySpec& delivery, uint64_t seed,
    uint32_t first_view, uint32_t rows_a_piece) const {
  double dataset_std = 0;
  if (delivery.strokes.has_value()) {
    absl::StatusOr<double> known =
        DatasetStd(*dataset.store, *delivery.strokes);
    if (!known.ok()) return known.status();
    dataset_std = *known;
  }
  return std::make_shared<const BatchRecipe>(
      BatchRecipe{dataset.store, sampled, sampled->view(), std::move(layout),
                  delivery.image, delivery.strokes, delivery.augment,
                  dataset_std, seed, first_view, options_.limits.max_image_side,
                  options_.limits.max_stroke_len, delivery.ignore_index,
                  rows_a_piece, delivery.on_corrupt == OnCorrupt::kSkip});
}

std::shared_ptr<MemoryGate> ServingEngine::GateOf(
    std::shared_ptr<BufferPool> pool) {
  const std::lock_guard<std::mutex> lock(mu_);
  std::shared_ptr<MemoryGate> gate;
  if (pool.use_count() > 0) {
    // One stream's own: it goes with the stream.
    owned_gates_.erase(
        std::remove_if(owned_gates_.begin(), owned_gates_.end(),
                       [](const auto& gone) { return gone.expired(); }),
        owned_gates_.end());
    gate = std::make_shared<MemoryGate>(std::move(pool), workers_);
    owned_gates_.push_back(gate);
  } else {
    std::shared_ptr<MemoryGate>& kept = gates_[pool.get()];
    if (kept == nullptr) kept = std::make_shared<MemoryGate>(pool, workers_);
    gate = kept;
  }
  // A new pool may stand where an old one was.
  gate->Attach();
  return gate;
}

}  // namespace inkstream::batch
