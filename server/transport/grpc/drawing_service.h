// inkstream.v1.DrawingService over gRPC's callback API: every method is glue
// around a handler. Batches travel as raw bytes, the rest as messages.
//
// Thread safety: gRPC calls the methods from its threads; none of them blocks.
#pragma once

#include <grpcpp/support/server_callback.h>
#include <inkstream/v1/service.grpc.pb.h>

#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

using DrawingServiceBase =
    v1::DrawingService::WithRawCallbackMethod_StreamBatches<
        v1::DrawingService::WithRawCallbackMethod_FetchDrawings<
            v1::DrawingService::WithCallbackMethod_ListDatasets<
                v1::DrawingService::WithCallbackMethod_DescribeDataset<
                    v1::DrawingService::WithCallbackMethod_InspectDrawing<
                        v1::DrawingService::WithCallbackMethod_GetStatus<
                            v1::DrawingService::WithCallbackMethod_ExplainPlan<
                                v1::DrawingService::
                                    WithCallbackMethod_UploadKeys<
                                        v1::DrawingService::Service>>>>>>>>;

class DrawingService : public DrawingServiceBase {
 public:
  // `server` outlives the service and every call.
  explicit DrawingService(const ServerContext& server) : server_(server) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamBatches(
      grpc::CallbackServerContext* call) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* FetchDrawings(
      grpc::CallbackServerContext* call,
      const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* ListDatasets(
      grpc::CallbackServerContext* call, const v1::ListDatasetsRequest* request,
      v1::ListDatasetsResponse* response) override;
  grpc::ServerUnaryReactor* DescribeDataset(
      grpc::CallbackServerContext* call,
      const v1::DescribeDatasetRequest* request,
      v1::DescribeDatasetResponse* response) override;
  grpc::ServerUnaryReactor* InspectDrawing(
      grpc::CallbackServerContext* call,
      const v1::InspectDrawingRequest* request,
      v1::InspectDrawingResponse* response) override;
  grpc::ServerUnaryReactor* ExplainPlan(
      grpc::CallbackServerContext* call, const v1::ExplainPlanRequest* request,
      v1::ExplainPlanResponse* response) override;
  grpc::ServerReadReactor<v1::UploadKeysRequest>* UploadKeys(
      grpc::CallbackServerContext* call,
      v1::UploadKeysResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* call,
                                      const v1::GetStatusRequest* request,
                                      v1::GetStatusResponse* response) override;

 private:
  // Answers the call with what `handle` says of the request, from a thread that
  // may wait.
  template <typename Request, typename Handle>
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* call,
                                   const Request& request, Handle handle);

  const ServerContext& server_;
};

}  // namespace inkstream::transport
