#include "inkstream/client.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/drawing_threads.h"
#include "client/cpp/batch/rows_to_draw.h"
#include "client/cpp/call/endpoints.h"
#include "client/cpp/call/fetch_call.h"
#include "client/cpp/messages/earlier_servers.h"
#include "client/cpp/messages/from_proto.h"
#include "client/cpp/messages/status_conversion.h"
#include "client/cpp/messages/to_proto.h"
#include "client/cpp/moment.h"
#include "client/cpp/stream/grpc_stream.h"
#include "client/cpp/stream/key_set_cache.h"
#include "inkstream/errors.h"
#include "inkstream/v1/service.grpc.pb.h"
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
    v1::DescribeDatasetResponse response;
    const absl::Status status = OnAnyTarget(
        [&](const std::shared_ptr<grpc::Channel>& channel,
            grpc::ClientContext* context) {
          return FromGrpc(v1::DrawingService::NewStub(channel)->DescribeDataset(
              context, request, &response));
        },
        SetsOf(view));
    if (!status.ok()) {
      return status;
    }
    return DatasetInfoOf(response);
  }

  absl::StatusOr<std::unique_ptr<inkstream::Stream>> Stream(
      const Plan& plan) override {
    return GrpcStream::Open(endpoints_, keys_, options_, plan);
  }

  absl::StatusOr<Batch> Fetch(const FetchRequest& request) override {
    v1::FetchDrawingsRequest message =
        ToMessage(request, options_.max_message_bytes);
    SayWhoDraws(message.mutable_delivery());
    const std::shared_ptr<TurnPool> pool =
        DrawingThreads(options_.drawing_threads);
    const absl::string_view later =
        PassedOver(SamplingKind::kUniform, request.strokes);
    ReceivedBatch batch;
    std::shared_ptr<const Vocabulary> vocabulary;
    const absl::Status status = OnAnyTarget(
        [&](const std::shared_ptr<grpc::Channel>& channel,
            grpc::ClientContext* context) {
          const auto deadline = context->deadline();
          absl::StatusOr<ReceivedBatch> fetched = FetchAt(
              channel, message, later, deadline, pool.get(), &vocabulary);
          if (HaveTheServerDraw(fetched.status(), message.mutable_delivery())) {
            fetched = FetchAt(channel, message, later, deadline, pool.get(),
                              &vocabulary);
          }
          if (fetched.ok()) batch = *std::move(fetched);
          return fetched.status();
        },
        SetsOf(request.view));
    if (!status.ok()) {
      return status;
    }
    Batch::Content content = ContentOf(std::move(batch), std::move(vocabulary));
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
    v1::ExplainPlanResponse response;
    const absl::Status status = OnAnyTarget(
        [&](const std::shared_ptr<grpc::Channel>& channel,
            grpc::ClientContext* context) {
          return FromGrpc(v1::DrawingService::NewStub(channel)->ExplainPlan(
              context, request, &response));
        },
        SetsOf(plan));
    if (!status.ok()) {
      return status;
    }
    absl::Status understood = CheckUnderstood(
        PassedOver(plan.order.sampling.kind, plan.delivery.strokes),
        response.refuses_unknown(), endpoints_->target());
    if (!understood.ok()) return understood;
    return PlanReportOf(response);
  }

  absl::StatusOr<UploadedKeys> UploadKeys(std::vector<int64_t> keys) override {
    return UploadWeights({std::move(keys), {}, {}});
  }

  absl::StatusOr<UploadedKeys> UploadWeights(DrawingWeights weights) override {
    UploadedKeys uploaded;
    const absl::Status status =
        OnAnyTarget([&](const std::shared_ptr<grpc::Channel>& channel,
                        grpc::ClientContext* context) {
          absl::StatusOr<UploadedKeys> sent =
              KeySetCache::Send(channel, context, weights);
          if (!sent.ok()) return sent.status();
          uploaded = *std::move(sent);
          return absl::OkStatus();
        });
    if (!status.ok()) {
      return status;
    }
    keys_->Keep(uploaded.hash, std::move(weights));
    return uploaded;
  }

 private:
  absl::StatusOr<ReceivedBatch> FetchAt(
      const std::shared_ptr<grpc::Channel>& channel,
      const v1::FetchDrawingsRequest& message, absl::string_view later,
      std::chrono::system_clock::time_point deadline, TurnPool* pool,
      std::shared_ptr<const Vocabulary>* vocabulary) {
    absl::StatusOr<Fetched> fetched = client::Fetch(
        channel, endpoints_->target(), message, deadline, &fetch_buffers_,
        options_.max_batch_bytes, pool->threads());
    if (!fetched.ok()) return fetched.status();
    absl::Status understood = CheckUnderstood(
        later, fetched->opened.refuses_unknown(), endpoints_->target());
    if (!understood.ok()) return understood;
    *vocabulary = VocabularyOf(fetched->opened);
    if (!fetched->batch.rows.has_value()) return std::move(fetched->batch);
    return RowsToDraw(std::move(fetched->rows), std::move(fetched->batch))
        .DrawNow(&fetch_buffers_, pool);
  }

  // Makes the call at each target in turn until one answers. Each gets an even
  // share of the time that is left, so that one that hangs does not hide the
  // others. A quota is waited for as long as the server says. A server that
  // lacks some of `sets` gets them, and is asked once more.
  template <typename Call>
  absl::Status OnAnyTarget(const Call& call,
                           const std::vector<std::string>& sets = {}) {
    const Moment deadline = Moment::Now() + options_.call_timeout;
    absl::Status status;
    std::shared_ptr<grpc::Channel> told;
    for (size_t left = endpoints_->tries(); left > 0;) {
      const std::shared_ptr<grpc::Channel> channel = endpoints_->channel();
      grpc::ClientContext context;
      const Moment now = Moment::Now();
      context.set_deadline(
          (now + (deadline - now) / static_cast<int64_t>(left)).ByWallClock());
      status = call(channel, &context);
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
        return status;
      }
      endpoints_->Advance(channel);
      --left;
    }
    return status;
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
