#include "server/transport/grpc/methods/drawing_service.h"

#include <inkstream/v1/service.grpc.pb.h>

#include <utility>

#include "server/service/service.h"
#include "server/transport/grpc/calls/unary_reactor.h"
#include "server/transport/grpc/methods/fetch_drawings_reactor.h"
#include "server/transport/grpc/methods/status_handler.h"
#include "server/transport/grpc/methods/stream_batches_reactor.h"
#include "server/transport/grpc/methods/upload_keys_reactor.h"

namespace inkstream::transport {
namespace {

template <typename Request, typename Response>
using Handler = absl::Status (*)(const service::Service&, const Request&,
                                 Response*);

// Of a request for one dataset, which the caller may read or is refused.
template <typename Request, typename Response>
auto OfADataset(const service::Service& service,
                Handler<Request, Response> handler) {
  return [&service, handler](const Access& access, Request* request,
                             Response* response) {
    absl::Status status =
        access.Choose(service.engine->datasets(), request->mutable_dataset());
    return status.ok() ? handler(service, *request, response) : status;
  };
}

}  // namespace

DrawingService::DrawingService(const ServerContext& server)
    : RawService(v1::DrawingService::service_full_name(), server.authenticator),
      server_(server) {
  const service::Service& service = server.service;
  AddUnary<v1::ListDatasetsRequest, v1::ListDatasetsResponse>(
      "ListDatasets", On::kThisThread,
      [&service](const Access& access,
                 const v1::ListDatasetsRequest* /*request*/,
                 v1::ListDatasetsResponse* response) {
        service::ListDatasets(
            service, access.Visible(service.engine->datasets()), response);
        return absl::OkStatus();
      });
  AddUnary<v1::DescribeDatasetRequest, v1::DescribeDatasetResponse>(
      "DescribeDataset", On::kRequestThread,
      OfADataset(service, &service::DescribeDataset));
  AddUnary<v1::InspectDrawingRequest, v1::InspectDrawingResponse>(
      "InspectDrawing", On::kRequestThread,
      OfADataset(service, &service::InspectDrawing));
  AddUnary<v1::ExplainPlanRequest, v1::ExplainPlanResponse>(
      "ExplainPlan", On::kRequestThread,
      OfADataset(service, &service::ExplainPlan));
  AddUnary<v1::GetStatusRequest, v1::GetStatusResponse>(
      "GetStatus", On::kThisThread,
      [&server](const Access& access, const v1::GetStatusRequest* request,
                v1::GetStatusResponse* response) {
        return GetStatus(server, access, *request, response);
      });
  Add("StreamBatches",
      [this](grpc::CallbackServerContext* call, const Caller& caller) {
        return new StreamBatchesReactor(server_, call, caller);
      });
  Add("FetchDrawings",
      [this](grpc::CallbackServerContext* call, const Caller& caller) {
        return new FetchDrawingsReactor(server_, call, caller);
      });
  Add("UploadKeys",
      [this](grpc::CallbackServerContext* call, const Caller& caller) {
        return new UploadKeysReactor(server_, call, caller.peer.caller);
      });
}

template <typename Request, typename Response, typename Handle>
void DrawingService::AddUnary(const char* name, On on, Handle handle) {
  const auto run = [this, on](const std::string& caller, size_t bytes,
                              std::function<void()> work) {
    if (on == On::kRequestThread) {
      return server_.engine->Run(
          caller, bytes,
          [work = std::move(work), counted = server_.calls->Begin()] {
            work();
          });
    }
    work();
    return absl::OkStatus();
  };
  Add(name, [this, handle, run](grpc::CallbackServerContext* call,
                                const Caller& caller) {
    return new UnaryReactor<Request, Response>(
        server_.reads, server_.answers, caller.peer.caller, call,
        [handle, access = caller.access](Request* request, Response* response) {
          return handle(*access, request, response);
        },
        run);
  });
}

}  // namespace inkstream::transport
