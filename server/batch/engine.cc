#include "server/batch/engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "server/base/machine_limits.h"
#include "server/base/status_reason.h"
#include "server/batch/job/fetch_job.h"
#include "server/batch/job/fetch_request.h"
#include "server/batch/ordered_stream.h"
#include "server/batch/plan/plan_check.h"
#include "server/batch/plan/plan_explainer.h"
#include "server/batch/work/parked_request.h"
#include "server/layout/rows_batch.h"
#include "server/order/epoch_order.h"

namespace inkstream::batch {
namespace {

// Drawing ahead makes way for threads that take requests and send what is
// drawn: with a third of their weight, FetchDrawings beside a stream takes 2.4
// instead of 3.1 to 4.0 ms, and streams lose little or gain.
constexpr int kWorkerNiceness = 5;

// For which a disk may keep a read waiting without a word.
constexpr double kLongSleepSeconds = 5;

// Of the requests that wait for a thread: what views are resolved from.
size_t RequestMemory(size_t view_memory) {
  return std::max<size_t>(view_memory / 4, size_t{4} << 20U);
}

StreamFacts FactsOf(const Dataset& dataset, const ResolvedView& view,
                    const std::vector<std::string>& columns) {
  StreamFacts facts;
  facts.dataset = dataset.name;
  facts.start.fingerprint = dataset.store->info().fingerprint;
  facts.view_size = view.size();
  facts.vocabulary = view.classes();
  if (std::find(columns.begin(), columns.end(), "countrycode") !=
      columns.end()) {
    facts.countrycodes = dataset.store->countrycodes();
  }
  return facts;
}

std::shared_ptr<const BatchRecipe> RecipeOf(
    layout::LayoutRecipe recipe, const Dataset& dataset,
    const std::shared_ptr<const SampledView>& sampled, int64_t ignore_index) {
  return std::make_shared<const BatchRecipe>(
      BatchRecipe{std::move(recipe), dataset.store, sampled, sampled->view(),
                  ignore_index});
}

EngineOptions WithoutZeros(EngineOptions options) {
  const uint64_t memory = UsableMemory() / 10 * 9;
  if (options.workers == 0) options.workers = UsableCpus();
  if (options.batch_memory == 0) options.batch_memory = memory / 4;
  if (options.view_memory == 0) options.view_memory = memory / 20;
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(
    const EngineOptions& options) {
  if (options.workers < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("workers: ", options.workers, "; at least 0"));
  }
  return std::unique_ptr<Engine>(new Engine(options));
}

Engine::Engine(const EngineOptions& options)
    : options_(WithoutZeros(options)),
      workers_(options_.pool != nullptr
                   ? options_.pool
                   : std::make_shared<WorkerPool>(
                         options_.workers, kWorkerNiceness,
                         WorkerPool::Sleepers::kAreReplaced)),
      datasets_(options_.retain_generations),
      requests_(RequestMemory(options_.view_memory),
                /*at_once=*/options_.pool == nullptr),
      views_(options_.view_memory, options_.workers),
      places_(std::make_shared<StreamPlaces>(options_.limits.max_streams)) {}

Engine::~Engine() { Stop(); }

void Engine::Stop() {
  requests_.Stop();
  if (options_.pool == nullptr) workers_->Stop();
  const std::lock_guard<std::mutex> lock(mu_);
  for (const std::weak_ptr<MemoryArbiter>& arbiter : arbiters_) {
    if (const auto kept = arbiter.lock()) kept->Stop();
  }
}

std::shared_ptr<MemoryArbiter> Engine::Arbitrate(
    std::shared_ptr<BufferPool> pool) {
  auto arbiter = std::make_shared<MemoryArbiter>(std::move(pool), workers_);
  const std::lock_guard<std::mutex> lock(mu_);
  std::erase_if(arbiters_, [](const auto& gone) { return gone.expired(); });
  arbiters_.push_back(arbiter);
  return arbiter;
}

std::vector<ServedStore> Engine::stores() const {
  std::vector<ServedStore> stores = datasets_.stores();
  for (ServedStore& served : stores) {
    const std::string& disk = served.store->path();
    const double waits =
        std::max(workers_->LongestSleep(disk), requests_.LongestSleep(disk));
    if (!served.problem.empty() || waits < kLongSleepSeconds) continue;
    served.problem = absl::StrFormat(
        "a read of %s has been waiting for %.0f s: its disk is slow, or "
        "answers no more",
        disk, waits);
  }
  return stores;
}

absl::StatusOr<Dataset> Engine::Use(const std::string& dataset,
                                    const std::string& fingerprint,
                                    const char* field) const {
  absl::StatusOr<Dataset> found = datasets_.Find(dataset, fingerprint, field);
  if (!found.ok()) return found;
  absl::Status room = requests_.MaySleepIn(found->store->path());
  if (!room.ok()) return room;
  return found;
}

absl::StatusOr<Dataset> Engine::UseFor(const Plan& plan) const {
  if (plan.fingerprint.empty() && plan.start.has_value()) {
    return Use(plan.dataset, plan.start->fingerprint,
               "open.cursor.fingerprint");
  }
  return Use(plan.dataset, plan.fingerprint, "open.fingerprint");
}

absl::StatusOr<DatasetFacts> Engine::DescribeGeneration(
    const std::string& dataset, const std::string& fingerprint,
    const View& view) const {
  // All of it is known without the disk.
  absl::StatusOr<Dataset> found = view == View()
                                      ? datasets_.Find(dataset, fingerprint)
                                      : Use(dataset, fingerprint);
  if (!found.ok()) return found.status();
  absl::StatusOr<std::shared_ptr<const ResolvedView>> resolved =
      views_.Get(*found->store, view);
  if (!resolved.ok()) return resolved.status();
  return DatasetFacts{found->name, found->store, (*resolved)->size(),
                      (*resolved)->classes(), (*resolved)->class_counts()};
}

absl::StatusOr<std::shared_ptr<BatchStream>> Engine::OpenStreamFor(
    const std::string& caller, const Plan& plan, MemoryArbiter* memory) {
  absl::StatusOr<StreamPlaces::Place> place = places_->Take(caller);
  if (!place.ok()) return place.status();
  absl::StatusOr<std::shared_ptr<OrderedStream>> stream =
      Open(caller, plan, memory);
  if (!stream.ok()) return stream.status();
  // Workers refer to it as well.
  return std::shared_ptr<BatchStream>(
      stream->get(),
      [stream = *stream, place = *place](BatchStream*) { stream->Cancel(); });
}

absl::StatusOr<std::shared_ptr<OrderedStream>> Engine::Open(
    const std::string& caller, const Plan& plan, MemoryArbiter* memory) {
  absl::StatusOr<Dataset> dataset = UseFor(plan);
  if (!dataset.ok()) return dataset.status();
  absl::StatusOr<OpenedPlan> opened =
      OpenPlan(plan, *std::move(dataset), options_, &views_);
  if (!opened.ok()) return opened.status();
  const std::shared_ptr<const SampledView>& sampled = opened->sampled;
  StreamFacts facts =
      FactsOf(opened->dataset, *sampled->view(), plan.delivery.columns);
  facts.view_size = sampled->size();
  facts.start = opened->start;
  const order::EpochPosition place = {facts.start.epoch, facts.start.position};
  absl::StatusOr<order::StepSchedule> schedule =
      order::StepSchedule::Create(facts.view_size, plan.delivery, place);
  if (!schedule.ok()) return schedule.status();
  absl::StatusOr<order::EpochOrder> first_order =
      order::EpochOrder::Create(plan.order, sampled->mixture(), place.epoch);
  if (!first_order.ok()) return first_order.status();
  facts.steps_per_epoch = schedule->StepsFrom(0);

  opened->recipe.rows_a_piece =
      layout::RowsAPiece(plan.delivery, options_.workers);
  const std::shared_ptr<const BatchRecipe> recipe =
      RecipeOf(std::move(opened->recipe), opened->dataset, sampled,
               plan.delivery.ignore_index);
  facts.batch_bytes = recipe->layout.Bytes(plan.delivery.batch_size);
  uint64_t buffer_bytes = facts.batch_bytes;
  facts.credit_window = options_.limits.max_credits;
  facts.strokes_divisor = recipe->dataset_std;
  std::optional<rows::RowsShape> shape;
  if (plan.delivery.codec == Codec::kStrokes && recipe->draws()) {
    facts.rows = true;
    shape = layout::RowsShapeOf(
        *recipe, plan.order.sampling.kind != SamplingKind::kUniform);
    const RowsWindow window = RowsWindowOf(*shape, plan.delivery.batch_size,
                                           options_.limits.max_credits);
    facts.credit_window = window.credits;
    buffer_bytes = std::min(options_.batch_memory, window.bytes);
  }
  const uint32_t credits = facts.credit_window;
  OrderedStreamParts parts = {recipe,
                              std::move(facts),
                              plan.order,
                              *std::move(schedule),
                              place,
                              plan.delivery.max_batches,
                              plan.delivery.max_bad,
                              credits,
                              workers_,
                              memory->Open(caller, buffer_bytes),
                              caller,
                              shape};
  return std::make_shared<OrderedStream>(std::move(parts));
}

absl::StatusOr<ExplainedPlan> Engine::Explain(const Plan& plan,
                                              const StepsAsked& asked) {
  absl::StatusOr<Dataset> dataset = UseFor(plan);
  if (!dataset.ok()) return dataset.status();
  absl::StatusOr<OpenedPlan> opened =
      OpenPlan(plan, *std::move(dataset), options_, &views_);
  if (!opened.ok()) return opened.status();
  ExplainedPlan explained;
  explained.dataset = opened->dataset.name;
  explained.start = opened->start;
  if (!plan.start.has_value()) explained.start.epoch = asked.epoch;
  absl::Status status =
      ExplainSteps(plan, asked, *opened->sampled, opened->recipe.layout,
                   options_.limits.max_batch_size, &explained);
  if (!status.ok()) return status;
  return explained;
}

std::function<void()> Engine::Fetch(FetchPlan plan,
                                    std::shared_ptr<MemoryArbiter> memory,
                                    FetchCaller caller, FetchDone done) {
  const auto request = std::make_shared<FetchRequest>(
      std::move(plan), std::move(memory), caller.name, std::move(done));
  absl::Status status = requests_.Run(
      caller.name, caller.request_bytes,
      [this, request](WorkerScratch* scratch) { Begin(request, scratch); });
  if (!status.ok()) request->Answer(std::move(status));
  return [weak = std::weak_ptr(request)] {
    if (const auto begun = weak.lock()) begun->End();
  };
}

std::function<void()> Engine::FetchHere(FetchPlan plan,
                                        std::shared_ptr<MemoryArbiter> memory,
                                        FetchDone done) {
  const auto request = std::make_shared<FetchRequest>(
      std::move(plan), std::move(memory), /*caller=*/"", std::move(done));
  std::unique_ptr<WorkerScratch> scratch;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (!scratches_.empty()) {
      scratch = std::move(scratches_.back());
      scratches_.pop_back();
    }
  }
  if (scratch == nullptr) scratch = std::make_unique<WorkerScratch>();
  Begin(request, scratch.get());
  {
    const std::lock_guard<std::mutex> lock(mu_);
    scratches_.push_back(std::move(scratch));
  }
  return [weak = std::weak_ptr(request)] {
    if (const auto begun = weak.lock()) begun->End();
  };
}

void Engine::Begin(const std::shared_ptr<FetchRequest>& request,
                   WorkerScratch* scratch) {
  if (request->ended()) return;
  absl::Status started = StartFetch(request, scratch);
  if (!started.ok() && !IsParked(started)) {
    request->Answer(std::move(started));
  }
}

absl::StatusOr<Engine::PricedFetch> Engine::Price(const FetchPlan& plan) const {
  absl::StatusOr<Dataset> dataset =
      datasets_.Find(plan.dataset, plan.fingerprint);
  if (!dataset.ok()) return dataset.status();
  const absl::Status status = CheckFetch(plan, options_.limits);
  if (!status.ok()) return status;
  DeliverySpec delivery = plan.delivery;
  delivery.batch_size = static_cast<uint32_t>(
      plan.indices.size() + plan.ranks.size() + plan.key_ids.size());
  absl::StatusOr<layout::LayoutRecipe> recipe =
      CheckDelivery(delivery, options_, *dataset->store);
  if (!recipe.ok()) return recipe.status();
  recipe->seed = plan.seed;
  recipe->first_view = plan.first_view;
  recipe->rows_a_piece = layout::FetchRowsAPiece(delivery, options_.workers);
  return PricedFetch{*std::move(dataset), std::move(delivery),
                     *std::move(recipe)};
}

absl::StatusOr<uint64_t> Engine::PriceFetch(const FetchPlan& plan) const {
  absl::StatusOr<PricedFetch> priced = Price(plan);
  if (!priced.ok()) return priced.status();
  return priced->recipe.layout.Bytes(priced->delivery.batch_size);
}

absl::Status Engine::StartFetch(const std::shared_ptr<FetchRequest>& request,
                                WorkerScratch* scratch) {
  const FetchPlan& plan = request->plan();
  absl::StatusOr<PricedFetch> priced = Price(plan);
  if (!priced.ok()) return priced.status();
  const Dataset& dataset = priced->dataset;
  if (absl::Status s = requests_.MaySleepIn(dataset.store->path()); !s.ok()) {
    return s;
  }
  absl::StatusOr<std::shared_ptr<const ResolvedView>> view =
      views_.Get(*dataset.store, plan.view);
  if (!view.ok()) return view.status();
  absl::StatusOr<std::vector<uint64_t>> indices =
      IndicesOf(dataset, **view, plan, options_.workers,
                [&request] { return request->ended(); });
  if (absl::Status s = CheckStore(*dataset.store); !s.ok()) return s;
  if (!indices.ok()) return indices.status();
  const std::shared_ptr<const BatchRecipe> recipe =
      RecipeOf(std::move(priced->recipe), dataset,
               std::make_shared<const SampledView>(*view),
               priced->delivery.ignore_index);
  StreamFacts facts = FactsOf(dataset, **view, priced->delivery.columns);
  facts.strokes_divisor = recipe->dataset_std;
  facts.rows = plan.delivery.codec == Codec::kStrokes && recipe->draws();
  std::optional<rows::RowsShape> rows;
  if (facts.rows) rows = layout::RowsShapeOf(*recipe, /*sampled=*/false);
  const auto job = std::make_shared<FetchJob>(
      recipe, std::move(facts), *std::move(indices), rows, workers_, request);
  job->Start(&request_draws_, scratch);
  return absl::OkStatus();
}

absl::StatusOr<InspectedDrawing> Engine::Inspect(const std::string& dataset,
                                                 uint64_t index,
                                                 int64_t key_id) {
  absl::StatusOr<Dataset> found = Use(dataset);
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
  absl::StatusOr<std::vector<uint64_t>> indices = IndicesOf(
      *found, **everything, plan, options_.workers, [] { return false; });
  if (absl::Status s = CheckStore(*found->store); !s.ok()) return s;
  if (!indices.ok()) return indices.status();
  InspectedDrawing inspected;
  inspected.index = indices->front();
  inspected.label = found->store->Label(inspected.index);
  inspected.split = SplitOf(*found->store, inspected.index);
  absl::Status read = found->store->NewDrawingReader()->ReadDrawing(
      inspected.index, &inspected.drawing);
  if (absl::Status s = CheckStore(*found->store); !s.ok()) return s;
  if (!read.ok()) return read;
  return inspected;
}

CacheUse Engine::caches() const {
  return {options_.view_memory,     views_.bytes(),
          options_.view_memory / 4, views_.key_sets().bytes(),
          views_.lookups(),         views_.key_sets().lookups()};
}

absl::Status Engine::Run(const std::string& caller, size_t bytes,
                         std::function<void()> work) {
  return requests_.Run(
      caller, bytes,
      [work = std::move(work)](WorkerScratch* /*scratch*/) { work(); });
}

}  // namespace inkstream::batch
