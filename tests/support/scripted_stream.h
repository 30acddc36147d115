// What tests of streams share: short timeouts, an honest server, reading to the
// end.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "inkstream/client.h"
#include "tests/support/fake_drawing_server.h"

namespace inkstream::testing {

// Short enough for tests, long enough for a busy machine.
inline ClientOptions Quick() {
  ClientOptions options;
  options.connect_timeout = absl::Seconds(10);
  options.call_timeout = absl::Seconds(10);
  options.stall_timeout = absl::Seconds(10);
  options.failover_timeout = absl::Seconds(10);
  return options;
}

inline std::shared_ptr<Client> Connected(
    const std::vector<std::string>& targets,
    const ClientOptions& options = Quick()) {
  auto client = Client::Connect(targets, options);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

// What a server that says nothing (more) answers in the end.
inline grpc::Status UntilCancelled(grpc::ServerContext* context) {
  while (!context->IsCancelled()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return grpc::Status::CANCELLED;
}

// Sends `batches` batches of `rows` rows from the request's cursor on, only as
// credit allows, then the end.
class Epoch {
 public:
  Epoch(int batches, int rows) : batches_(batches), rows_(rows) {}

  grpc::Status operator()(grpc::ServerContext*,
                          FakeDrawingServer::BatchStream* stream) {
    v1::StreamBatchesRequest request;
    if (!stream->Read(&request)) {
      return grpc::Status(grpc::StatusCode::CANCELLED, "gone");
    }
    uint64_t position = request.open().cursor().position();
    const auto total = static_cast<uint64_t>(batches_) * rows_;
    v1::BatchPart opened = OpenedPart(total);
    opened.mutable_opened()->set_refuses_unknown(knowing_);
    stream->Write(opened);
    uint64_t credits = request.credits();
    for (uint64_t sequence = 0; position < total; ++sequence) {
      while (credits == 0) {
        if (!stream->Read(&request)) {
          return grpc::Status(grpc::StatusCode::CANCELLED, "gone");
        }
        credits += request.credits();
      }
      --credits;
      const auto first = static_cast<int64_t>(position);
      position += rows_;
      if (stop_at_ > 0 && position > stop_at_) {
        return StatusWithReason(grpc::StatusCode::UNAVAILABLE, "draining",
                                "DRAIN", 0);
      }
      stream->Write(BatchOf(sequence, first, rows_, position));
    }
    stream->Write(EndPart(1, 0));
    return grpc::Status::OK;
  }

  Epoch& StopAt(uint64_t position) {
    stop_at_ = position;
    return *this;
  }
  // As servers of today; else it is one of an earlier release.
  Epoch& Knowing() {
    knowing_ = true;
    return *this;
  }

 private:
  int batches_;
  int rows_;
  uint64_t stop_at_ = 0;
  bool knowing_ = false;
};

// The indices of every batch; the error that ended the stream goes to `end`, or
// fails the test.
inline std::vector<int64_t> ReadAll(Stream* stream,
                                    absl::Status* end = nullptr) {
  std::vector<int64_t> indices;
  for (;;) {
    auto batch = stream->Next();
    if (!batch.ok()) {
      if (end != nullptr) {
        *end = batch.status();
      } else {
        ADD_FAILURE() << batch.status();
      }
      return indices;
    }
    if (!batch->has_value()) {
      return indices;
    }
    const auto values = (*batch)->Values<int64_t>("index");
    EXPECT_TRUE(values.ok()) << values.status();
    indices.insert(indices.end(), values->begin(), values->end());
  }
}

// 0, 1, ... count - 1.
inline std::vector<int64_t> UpTo(int64_t count) {
  std::vector<int64_t> numbers(count);
  for (int64_t i = 0; i < count; ++i) {
    numbers[i] = i;
  }
  return numbers;
}

}  // namespace inkstream::testing
