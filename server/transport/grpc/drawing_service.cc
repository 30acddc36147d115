#include "server/transport/grpc/drawing_service.h"

#include <utility>

#include "server/batch/parked_request.h"
#include "server/service/describe_dataset.h"
#include "server/service/explain_plan.h"
#include "server/service/inspect_drawing.h"
#include "server/transport/grpc/caller.h"
#include "server/transport/grpc/fetch_drawings_reactor.h"
#include "server/transport/grpc/status_handler.h"
#include "server/transport/grpc/status_to_grpc.h"
#include "server/transport/grpc/stream_batches_reactor.h"
#include "server/transport/grpc/upload_keys_reactor.h"

namespace inkstream::transport {

template <typename Request, typename Handle>
grpc::ServerUnaryReactor* DrawingService::Answer(
    grpc::CallbackServerContext* call, const Request& request, Handle handle) {
  grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
  absl::Status status = server_.engine->Run(
      PeerOf(*server_.connections, *call).caller, request.ByteSizeLong(),
      [reactor, handle = std::move(handle), counted = server_.calls->Begin()] {
        absl::Status answer = handle();
        if (!batch::IsParked(answer)) reactor->Finish(ToGrpcStatus(answer));
      });
  if (!status.ok()) reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
DrawingService::StreamBatches(grpc::CallbackServerContext* call) {
  return new StreamBatchesReactor(server_, call);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* DrawingService::FetchDrawings(
    grpc::CallbackServerContext* call, const grpc::ByteBuffer* request) {
  return new FetchDrawingsReactor(server_, call, *request);
}

grpc::ServerUnaryReactor* DrawingService::ListDatasets(
    grpc::CallbackServerContext* call, const v1::ListDatasetsRequest* request,
    v1::ListDatasetsResponse* response) {
  return Answer(call, *request, [this, response] {
    return service::ListDatasets(server_.service, response);
  });
}

grpc::ServerUnaryReactor* DrawingService::DescribeDataset(
    grpc::CallbackServerContext* call,
    const v1::DescribeDatasetRequest* request,
    v1::DescribeDatasetResponse* response) {
  return Answer(call, *request, [this, request, response] {
    return service::DescribeDataset(server_.service, *request, response);
  });
}

grpc::ServerUnaryReactor* DrawingService::InspectDrawing(
    grpc::CallbackServerContext* call, const v1::InspectDrawingRequest* request,
    v1::InspectDrawingResponse* response) {
  return Answer(call, *request, [this, request, response] {
    return service::InspectDrawing(server_.service, *request, response);
  });
}

grpc::ServerUnaryReactor* DrawingService::ExplainPlan(
    grpc::CallbackServerContext* call, const v1::ExplainPlanRequest* request,
    v1::ExplainPlanResponse* response) {
  return Answer(call, *request, [this, request, response] {
    return service::ExplainPlan(server_.service, *request, response);
  });
}

grpc::ServerReadReactor<v1::UploadKeysRequest>* DrawingService::UploadKeys(
    grpc::CallbackServerContext* call, v1::UploadKeysResponse* response) {
  return new UploadKeysReactor(server_, call, response);
}

grpc::ServerUnaryReactor* DrawingService::GetStatus(
    grpc::CallbackServerContext* call, const v1::GetStatusRequest* request,
    v1::GetStatusResponse* response) {
  // On this thread: it must answer when those that may wait are all busy.
  grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
  reactor->Finish(
      ToGrpcStatus(transport::GetStatus(server_, *request, response)));
  return reactor;
}

}  // namespace inkstream::transport
