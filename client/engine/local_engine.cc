#include "client/engine/local_engine.h"

#include <inkstream/v1/service.pb.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/engine/drawing_pool.h"
#include "client/engine/local_batches.h"
#include "client/engine/local_fetch.h"
#include "server/base/machine_limits.h"
#include "server/service/service.h"
#include "server/service/upload_keys.h"
#include "server/store/store_health.h"

namespace inkstream::engine {
namespace {

constexpr uint64_t kMostMemory = 1ULL << 30U;

template <typename Request>
absl::StatusOr<Request> Parsed(absl::string_view bytes) {
  Request request;
  if (request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return request;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the request is not an encoded ", request.GetTypeName()));
}

// `handle`: absl::Status(const Request&, Response*).
template <typename Request, typename Response, typename Handle>
absl::StatusOr<std::string> Answered(absl::string_view bytes,
                                     const Handle& handle) {
  absl::StatusOr<Request> request = Parsed<Request>(bytes);
  if (!request.ok()) return request.status();
  Response response;
  absl::Status status = handle(*request, &response);
  if (!status.ok()) return status;
  return response.SerializeAsString();
}

absl::Status ListDatasets(const service::Service& service,
                          const v1::ListDatasetsRequest& /*request*/,
                          v1::ListDatasetsResponse* response) {
  service::ListDatasets(service, service.engine->datasets(), response);
  return absl::OkStatus();
}

absl::Status UploadKeys(const service::Service& service,
                        const v1::UploadKeysRequest& request,
                        v1::UploadKeysResponse* response) {
  std::unique_ptr<batch::KeyUpload> upload =
      service.engine->NewUpload(/*caller=*/"");
  absl::Status status = service::AddToUpload(request, upload.get());
  if (!status.ok()) return status;
  absl::StatusOr<batch::KeptKeys> kept =
      service.engine->Keep(std::move(upload));
  if (!kept.ok()) return kept.status();
  response->set_hash(kept->hash);
  response->set_keys(kept->keys);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<LocalEngine>> LocalEngine::Open(
    const LocalEngineOptions& options) {
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> store =
      store::StoreReader::Open(options.path,
                               {.fingerprint = options.fingerprint});
  if (!store.ok()) return store.status();
  const uint32_t shares = std::max(1U, options.shares);
  const int threads = DrawingThreads(options.threads, shares);
  const uint64_t memory =
      options.memory > 0 ? options.memory
                         : std::min(kMostMemory, UsableMemory() / 10) / shares;
  batch::EngineOptions engine_options;
  engine_options.workers = threads;
  engine_options.view_memory = std::max<uint64_t>(1, memory / 4);
  engine_options.batch_memory =
      std::max<uint64_t>(1, memory - engine_options.view_memory);
  engine_options.pool = JoinDrawingPool(threads);
  absl::StatusOr<std::unique_ptr<batch::Engine>> engine =
      batch::Engine::Create(engine_options);
  if (engine.ok()) {
    absl::Status added = (*engine)->AddDataset((*store)->info().name, *store);
    if (!added.ok()) engine = std::move(added);
  }
  if (!engine.ok()) {
    LeaveDrawingPool();
    return engine.status();
  }
  return std::shared_ptr<LocalEngine>(
      new LocalEngine(*std::move(store), *std::move(engine), memory));
}

LocalEngine::LocalEngine(std::shared_ptr<const store::StoreReader> store,
                         std::unique_ptr<batch::Engine> engine, uint64_t memory)
    : store_(std::move(store)),
      engine_(std::move(engine)),
      service_{.engine = engine_.get(),
               .version = INKSTREAM_VERSION,
               .memory_bytes = memory} {}

LocalEngine::~LocalEngine() {
  engine_->Stop();
  LeaveDrawingPool();
}

absl::StatusOr<std::string> LocalEngine::Call(absl::string_view method,
                                              absl::string_view request) {
  const auto by =
      [&]<typename Request, typename Response>(absl::Status (*answer)(
          const service::Service&, const Request&, Response*)) {
        return Answered<Request, Response>(
            request, [&](const Request& asked, Response* response) {
              return answer(service_, asked, response);
            });
      };
  if (method == "ListDatasets") return by(&ListDatasets);
  if (method == "DescribeDataset") return by(&service::DescribeDataset);
  if (method == "ExplainPlan") return by(&service::ExplainPlan);
  if (method == "InspectDrawing") return by(&service::InspectDrawing);
  if (method == "UploadKeys") return by(&UploadKeys);
  if (method == "GetStatus") {
    return Answered<v1::GetStatusRequest, v1::GetStatusResponse>(
        request, [this](const auto& asked, auto* response) {
          return GetStatus(asked, response);
        });
  }
  return absl::UnimplementedError(
      absl::StrCat("method: ", method,
                   " answers nothing here; there are ListDatasets, "
                   "DescribeDataset, ExplainPlan, InspectDrawing, UploadKeys "
                   "and GetStatus"));
}

absl::Status LocalEngine::GetStatus(const v1::GetStatusRequest& request,
                                    v1::GetStatusResponse* response) {
  if (!request.dataset().empty()) {
    absl::Status known = engine_->Describe(request.dataset(), View()).status();
    if (!known.ok()) return known;
  }
  response->set_server_version(service_.version);
  response->set_uptime_seconds(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started_)
          .count());
  response->set_workers(static_cast<uint32_t>(engine_->workers()));
  response->set_memory_budget_bytes(engine_->options().batch_memory);
  response->set_cpu_seconds(static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
  std::vector<std::weak_ptr<LocalBatches>> streams;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    streams = streams_;
  }
  for (const std::weak_ptr<LocalBatches>& stream : streams) {
    const std::shared_ptr<LocalBatches> open = stream.lock();
    if (open == nullptr) continue;
    v1::StreamStatus status = open->Report();
    if (request.stream_id() != 0 && request.stream_id() != status.id()) {
      continue;
    }
    *response->add_streams() = std::move(status);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<LocalStream>> LocalEngine::StreamBatches(
    absl::string_view bytes) {
  absl::StatusOr<v1::StreamBatchesRequest> request =
      Parsed<v1::StreamBatchesRequest>(bytes);
  if (!request.ok()) return request.status();
  // Nobody else does, and what is cut off behind its first touch is a signal.
  store::LookAtFiles(*store_);
  uint64_t id = 0;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    id = ++last_id_;
  }
  absl::StatusOr<std::shared_ptr<LocalBatches>> stream =
      LocalBatches::Open(shared_from_this(), engine_.get(), id, *request);
  if (!stream.ok()) return stream;
  const std::lock_guard<std::mutex> lock(mu_);
  std::erase_if(streams_, [](const auto& gone) { return gone.expired(); });
  streams_.push_back(*stream);
  return stream;
}

absl::StatusOr<std::shared_ptr<LocalStream>> LocalEngine::FetchDrawings(
    absl::string_view bytes) {
  absl::StatusOr<v1::FetchDrawingsRequest> request =
      Parsed<v1::FetchDrawingsRequest>(bytes);
  if (!request.ok()) return request.status();
  store::LookAtFiles(*store_);
  return LocalFetch::Open(shared_from_this(), engine_.get(), *request);
}

}  // namespace inkstream::engine
