#include "tests/support/fake_drawing_server.h"

#include <chrono>
#include <numeric>
#include <utility>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace inkstream::testing {

class FakeDrawingServer::Service final : public v1::DrawingService::Service {
 public:
  explicit Service(FakeDrawingServer* owner) : owner_(owner) {}

  grpc::Status StreamBatches(grpc::ServerContext* context,
                             BatchStream* stream) override {
    ++owner_->streams_opened_;
    return owner_->stream_ ? owner_->stream_(context, stream) : Unscripted();
  }
  grpc::Status FetchDrawings(
      grpc::ServerContext*, const v1::FetchDrawingsRequest* request,
      grpc::ServerWriter<v1::BatchPart>* writer) override {
    return owner_->fetch_ ? owner_->fetch_(*request, writer) : Unscripted();
  }
  grpc::Status DescribeDataset(grpc::ServerContext*,
                               const v1::DescribeDatasetRequest* request,
                               v1::DescribeDatasetResponse* response) override {
    return owner_->describe_ ? owner_->describe_(*request, response)
                             : Unscripted();
  }

 private:
  static grpc::Status Unscripted() {
    return grpc::Status(grpc::StatusCode::UNIMPLEMENTED,
                        "the test has no script for this call");
  }

  FakeDrawingServer* owner_;
};

FakeDrawingServer::FakeDrawingServer()
    : service_(std::make_unique<Service>(this)) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  target_ = "127.0.0.1:" + std::to_string(port);
}

FakeDrawingServer::~FakeDrawingServer() { Kill(); }

void FakeDrawingServer::Kill() {
  server_->Shutdown(std::chrono::system_clock::now());
}

v1::Cursor CursorAt(uint64_t epoch, uint64_t position) {
  v1::Cursor cursor;
  cursor.set_version(1);
  cursor.set_fingerprint(std::string(64, 'a'));
  cursor.set_plan_hash(std::string(32, 'b'));
  cursor.set_epoch(epoch);
  cursor.set_position(position);
  return cursor;
}

v1::BatchPart OpenedPart(uint64_t view_size, uint32_t credit_window) {
  v1::BatchPart part;
  v1::StreamOpened* opened = part.mutable_opened();
  opened->set_dataset("fake");
  *opened->mutable_cursor() = CursorAt(0, 0);
  opened->mutable_cursor()->set_order_plan("the plan");
  opened->set_view_size(view_size);
  opened->set_raster_version(1);
  opened->set_credit_window(credit_window);
  opened->add_vocabulary("cat");
  return part;
}

v1::BatchPart BatchOf(uint64_t sequence, int64_t first, int64_t rows,
                      uint64_t position_after) {
  std::vector<int64_t> values(rows);
  std::iota(values.begin(), values.end(), first);
  v1::BatchPart part;
  part.set_batch_seq(sequence);
  v1::BatchHeader* header = part.add_batches();
  header->set_batch_seq(sequence);
  *header->mutable_cursor() = CursorAt(0, position_after);
  header->set_byte_size(rows * sizeof(int64_t));
  header->set_part_count(1);
  header->set_step(sequence);
  v1::Tensor* tensor = header->add_tensors();
  tensor->set_name("index");
  tensor->set_dtype(v1::DTYPE_INT64);
  tensor->add_shape(rows);
  tensor->set_length(rows * sizeof(int64_t));
  part.set_data(values.data(), rows * sizeof(int64_t));
  return part;
}

v1::BatchPart EndPart(uint64_t epoch, uint64_t position) {
  v1::BatchPart part;
  *part.mutable_end()->mutable_cursor() = CursorAt(epoch, position);
  part.mutable_end()->set_reason(v1::StreamEnd::REASON_EPOCHS_DONE);
  return part;
}

grpc::Status StatusWithReason(grpc::StatusCode code, const std::string& message,
                              const std::string& reason, int delay_ms) {
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("inkstream");
  details.add_details()->PackFrom(info);
  if (delay_ms >= 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(delay_ms / 1000);
    retry.mutable_retry_delay()->set_nanos(delay_ms % 1000 * 1'000'000);
    details.add_details()->PackFrom(retry);
  }
  return grpc::Status(code, message, details.SerializeAsString());
}

}  // namespace inkstream::testing
