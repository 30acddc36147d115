#include "inkstream/client.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/drawing_threads.h"
#include "client/cpp/call/endpoints.h"
#include "client/cpp/call/raw_call.h"
#include "client/cpp/messages/earlier_servers.h"
#include "client/cpp/messages/from_proto.h"
#include "client/cpp/messages/status_conversion.h"
#include "client/cpp/messages/to_proto.h"
#include "client/cpp/moment.h"
#include "client/cpp/stream/grpc_stream.h"
#include "client/cpp/stream/key_set_cache.h"
#include "client/engine/served_batches.h"
#include "inkstream/errors.h"
#include "inkstream/v1/service.grpc.pb.h"
#include "server/raster/draw/rasterizer.h"
#include "server/wire/messages.h"

namespace inkstream {
namespace client {
namespace {

constexpr uint32_t kMaxReadAhead = 256;
constexpr uint32_t kMinMessageBytes = 64 << 10;
constexpr uint32_t kMaxMessageBytes = 1U << 30U;

class GrpcClient final : public Client {
 public:
  GrpcClient(std::shared_ptr<Endpoints> endpoints, const ClientOptions& options)
      : endpoints_(std::move(endpoints)),
        options_(options),
        fetch_buffers_(2) {}

  absl::StatusOr<DatasetInfo> Describe(
      const std::string& dataset, const View& view,
      const std::string& fingerprint) override {
    v1::DescribeDatasetRequest request;
    request.set_dataset(dataset);
    request.set_fingerprint(fingerprint);
    *request.mutable_view() = wire::ViewToProto(view);
    const absl::StatusOr<v1::DescribeDatasetResponse> response =
        Ask(&v1::DrawingService::Stub::DescribeDataset, request, SetsOf(view));
    if (!response.ok()) return response.status();
    return DatasetInfoOf(*response);
  }

  absl::StatusOr<std::unique_ptr<inkstream::Stream>> Stream(
      const Plan& plan) override {
    return GrpcStream::Open(endpoints_, keys_, options_, plan);
  }

  absl::StatusOr<Batch> Fetch(const FetchRequest& request) override {
    v1::FetchDrawingsRequest message =
        ToMessage(request, options_.max_message_bytes);
    message.mutable_delivery()->set_raster_version(raster::kRasterVersion);
    const std::shared_ptr<TurnPool> pool =
        DrawingThreads(options_.drawing_threads);
    const absl::string_view later =
        PassedOver(SamplingKind::kUniform, request.strokes);
    std::shared_ptr<const Vocabulary> vocabulary;
    absl::StatusOr<engine::ReceivedBatch> batch = OnAnyTarget(
        [&](const std::shared_ptr<grpc::Channel>& channel,
            grpc::ClientContext* context) {
          const auto deadline = context->deadline();
          absl::StatusOr<engine::ReceivedBatch> fetched =
              FetchAt(channel, message, later, deadline, pool, &vocabulary);
          if (HaveTheServerDraw(fetched.status(), message.mutable_delivery())) {
            fetched =
                FetchAt(channel, message, later, deadline, pool, &vocabulary);
          }
          return fetched;
        },
        SetsOf(request.view));
    if (!batch.ok()) return batch.status();
    Batch::Content content =
        ContentOf(*std::move(batch), std::move(vocabulary));
    content.cursor.reset();
    return Batch(std::move(content));
  }

  absl::StatusOr<PlanReport> Explain(const Plan& plan,
                                     const StepQuery& query) override {
    if (absl::Status status = CheckPlan(plan); !status.ok()) {
      return status;
    }
    const v1::ExplainPlanRequest request =
        ToMessage(plan, query, options_.max_message_bytes);
    const absl::StatusOr<v1::ExplainPlanResponse> response =
        Ask(&v1::DrawingService::Stub::ExplainPlan, request, SetsOf(plan));
    if (!response.ok()) return response.status();
    absl::Status understood = CheckUnderstood(
        PassedOver(plan.order.sampling.kind, plan.delivery.strokes),
        response->refuses_unknown(), endpoints_->target());
    if (!understood.ok()) return understood;
    return PlanReportOf(*response);
  }

  absl::StatusOr<UploadedKeys> UploadKeys(std::vector<int64_t> keys) override {
    return UploadWeights({std::move(keys), {}, {}});
  }

  absl::StatusOr<UploadedKeys> UploadWeights(DrawingWeights weights) override {
    absl::StatusOr<UploadedKeys> uploaded =
        OnAnyTarget([&](const std::shared_ptr<grpc::Channel>& channel,
                        grpc::ClientContext* context) {
          return KeySetCache::Send(channel, context, weights);
        });
    if (uploaded.ok()) keys_->Keep(uploaded->hash, std::move(weights));
    return uploaded;
  }

 private:
  // Read and drawn by the thread that waits for it: no other has to wake up on
  // the way.
  absl::StatusOr<engine::ReceivedBatch> FetchAt(
      const std::shared_ptr<grpc::Channel>& channel,
      const v1::FetchDrawingsRequest& message, absl::string_view later,
      std::chrono::system_clock::time_point deadline,
      const std::shared_ptr<TurnPool>& pool,
      std::shared_ptr<const Vocabulary>* vocabulary) {
    engine::ServedBatches batches(
        [this](uint64_t bytes, size_t /*ahead*/) {
          return fetch_buffers_.Acquire(bytes);
        },
        /*on_batch=*/nullptr, /*changed=*/[] {}, pool);
    batches.Begin(engine::AskedBy(message), endpoints_->target(),
                  options_.max_batch_bytes);
    RawCall call(channel, message, deadline);
    absl::Status status =
        call.ReadAll([&](absl::StatusOr<engine::PartView>* part) {
          absl::Status fed = batches.Feed(part).status();
          if (!fed.ok() || !(*part)->opened.has_value()) return fed;
          const v1::StreamOpened& opened = *(*part)->opened;
          *vocabulary = VocabularyOf(opened);
          return CheckUnderstood(later, opened.refuses_unknown(),
                                 endpoints_->target());
        });
    if (!status.ok()) return status;
    batches.Finish();
    absl::StatusOr<engine::ServedBatches::Taken> taken = batches.Take();
    if (!taken.ok()) return taken.status();
    if (auto* batch = std::get_if<engine::ReceivedBatch>(&*taken)) {
      return std::move(*batch);
    }
    return engine::BrokenProtocol("0 batches as the answer of one Fetch");
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (v1::DrawingService::Stub::*method)(
                                   grpc::ClientContext*, const Request&,
                                   Response*),
                               const Request& request,
                               const std::vector<std::string>& sets) {
    return OnAnyTarget(
        [&](const std::shared_ptr<grpc::Channel>& channel,
            grpc::ClientContext* context) -> absl::StatusOr<Response> {
          const auto stub = v1::DrawingService::NewStub(channel);
          Response response;
          absl::Status status =
              FromGrpc(((*stub).*method)(context, request, &response));
          if (!status.ok()) return status;
          return response;
        },
        sets);
  }

  // Makes the call at each target in turn until one answers. Each gets an even
  // share of the time that is left, so that one that hangs does not hide the
  // others. A quota is waited for as long as the server says. A server that
  // lacks some of `sets` gets them, and is asked once more.
  template <typename Call>
  std::invoke_result_t<Call, const std::shared_ptr<grpc::Channel>&,
                       grpc::ClientContext*>
  OnAnyTarget(const Call& call, const std::vector<std::string>& sets = {}) {
    const Moment deadline = Moment::Now() + options_.call_timeout;
    std::shared_ptr<grpc::Channel> told;
    for (size_t left = endpoints_->tries();;) {
      const std::shared_ptr<grpc::Channel> channel = endpoints_->channel();
      grpc::ClientContext context;
      const Moment now = Moment::Now();
      context.set_deadline(
          (now + (deadline - now) / static_cast<int64_t>(left)).ByWallClock());
      auto answer = call(channel, &context);
      const absl::Status status = answer.status();
      if (told != channel &&
          keys_->SentWhere(status, channel, sets, deadline - Moment::Now())) {
        told = channel;
        continue;
      }
      const absl::Duration wait =
          status.code() == absl::StatusCode::kResourceExhausted
              ? RetryDelay(status).value_or(absl::InfiniteDuration())
              : absl::InfiniteDuration();
      if (Moment::Now() + wait < deadline) {
        absl::SleepFor(wait);
        continue;
      }
      if (status.code() != absl::StatusCode::kUnavailable &&
          status.code() != absl::StatusCode::kDeadlineExceeded) {
        return answer;
      }
      endpoints_->Advance(channel);
      if (--left == 0) return answer;
    }
  }

  const std::shared_ptr<Endpoints> endpoints_;
  const std::shared_ptr<KeySetCache> keys_ = std::make_shared<KeySetCache>();
  const ClientOptions options_;
  BatchBuffers fetch_buffers_;
};

absl::Status CheckOptions(const ClientOptions& options) {
  if (options.read_ahead > kMaxReadAhead) {
    return absl::InvalidArgumentError(absl::StrCat(
        "read_ahead = ", options.read_ahead, " is not in 0..", kMaxReadAhead));
  }
  if (options.max_message_bytes < kMinMessageBytes ||
      options.max_message_bytes > kMaxMessageBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_message_bytes = ", options.max_message_bytes,
                     " is not in ", kMinMessageBytes, "..", kMaxMessageBytes));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace client

absl::StatusOr<std::shared_ptr<Client>> Client::Connect(
    const std::vector<std::string>& targets, const ClientOptions& options) {
  if (absl::Status status = client::CheckOptions(options); !status.ok()) {
    return status;
  }
  auto maker =
      client::ChannelMaker::Create(options.security, options.max_message_bytes);
  if (!maker.ok()) {
    return maker.status();
  }
  absl::StatusOr<std::shared_ptr<client::Endpoints>> endpoints =
      client::Endpoints::Create(targets, *std::move(maker));
  if (!endpoints.ok()) {
    return endpoints.status();
  }
  if (absl::Status status =
          (*endpoints)->WaitForConnected(options.connect_timeout);
      !status.ok()) {
    return status;
  }
  return std::make_shared<client::GrpcClient>(*std::move(endpoints), options);
}

}  // namespace inkstream
