#include "server/transport/grpc/drawing_service.h"

#include <inkstream/v1/service.grpc.pb.h>

#include <utility>

#include "server/service/describe_dataset.h"
#include "server/service/explain_plan.h"
#include "server/service/inspect_drawing.h"
#include "server/transport/grpc/caller.h"
#include "server/transport/grpc/fetch_drawings_reactor.h"
#include "server/transport/grpc/status_handler.h"
#include "server/transport/grpc/stream_batches_reactor.h"
#include "server/transport/grpc/unary_reactor.h"
#include "server/transport/grpc/upload_keys_reactor.h"

namespace inkstream::transport {
namespace {

absl::Status List(const service::Service& service,
                  const v1::ListDatasetsRequest& /*request*/,
                  v1::ListDatasetsResponse* response) {
  return service::ListDatasets(service, response);
}

}  // namespace

DrawingService::DrawingService(const ServerContext& server)
    : RawService(v1::DrawingService::service_full_name()), server_(server) {
  const service::Service& service = server.service;
  AddUnary("ListDatasets", On::kRequestThread, service, &List);
  AddUnary("DescribeDataset", On::kRequestThread, service,
           &service::DescribeDataset);
  AddUnary("InspectDrawing", On::kRequestThread, service,
           &service::InspectDrawing);
  AddUnary("ExplainPlan", On::kRequestThread, service, &service::ExplainPlan);
  AddUnary("GetStatus", On::kThisThread, server, &GetStatus);
  Add("StreamBatches", [this](grpc::CallbackServerContext* call) {
    return new StreamBatchesReactor(server_, call);
  });
  Add("FetchDrawings", [this](grpc::CallbackServerContext* call) {
    return new FetchDrawingsReactor(server_, call);
  });
  Add("UploadKeys", [this](grpc::CallbackServerContext* call) {
    return new UploadKeysReactor(server_, call);
  });
}

template <typename Context, typename Request, typename Response>
void DrawingService::AddUnary(const char* name, On on, const Context& context,
                              absl::Status (*handler)(const Context&,
                                                      const Request&,
                                                      Response*)) {
  const auto handle = [&context, handler](const Request& request,
                                          Response* response) {
    return handler(context, request, response);
  };
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
  Add(name, [this, handle, run](grpc::CallbackServerContext* call) {
    return new UnaryReactor<Request, Response>(
        server_.reads, PeerOf(*server_.connections, *call).caller, call, handle,
        run);
  });
}

}  // namespace inkstream::transport
