// A server that says what a test tells it to, for tests of clients.
//
// Ownership: stops when it is destroyed. Thread safety: set the scripts before
// the first call; they run on gRPC's threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "inkstream/v1/service.grpc.pb.h"

namespace inkstream::testing {

class FakeDrawingServer {
 public:
  using BatchStream =
      grpc::ServerReaderWriter<v1::BatchPart, v1::StreamBatchesRequest>;
  using StreamScript =
      std::function<grpc::Status(grpc::ServerContext*, BatchStream*)>;
  using FetchScript = std::function<grpc::Status(
      const v1::FetchDrawingsRequest&, grpc::ServerWriter<v1::BatchPart>*)>;
  using DescribeScript = std::function<grpc::Status(
      const v1::DescribeDatasetRequest&, v1::DescribeDatasetResponse*)>;

  // Listens on a free port of the loopback interface.
  FakeDrawingServer();
  ~FakeDrawingServer();

  void OnStream(StreamScript script) { stream_ = std::move(script); }
  void OnFetch(FetchScript script) { fetch_ = std::move(script); }
  void OnDescribe(DescribeScript script) { describe_ = std::move(script); }

  const std::string& target() const { return target_; }
  int streams_opened() const { return streams_opened_; }

  // Cuts every call off, as a server that is killed does.
  void Kill();

 private:
  class Service;

  StreamScript stream_;
  FetchScript fetch_;
  DescribeScript describe_;
  std::atomic<int> streams_opened_{0};
  std::string target_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
};

// Parts that such scripts are made of. Every batch has one int64 tensor
// "index" of `rows` rows that count up from `first`.
v1::BatchPart OpenedPart(uint64_t view_size = 1000, uint32_t credit_window = 8);
v1::BatchPart BatchOf(uint64_t sequence, int64_t first, int64_t rows,
                      uint64_t position_after);
v1::BatchPart EndPart(uint64_t epoch, uint64_t position);
v1::Cursor CursorAt(uint64_t epoch, uint64_t position);

// A status with a google.rpc.ErrorInfo and, for delay_ms >= 0, a RetryInfo.
grpc::Status StatusWithReason(grpc::StatusCode code, const std::string& message,
                              const std::string& reason, int delay_ms = -1);

}  // namespace inkstream::testing
