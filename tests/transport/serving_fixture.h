// A real server over a fake store, and a channel to it.
#pragma once

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpc/health/v1/health.grpc.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <inkstream/v1/service.grpc.pb.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/batch/engine.h"
#include "server/transport/grpc/grpc_server.h"
#include "tests/support/fake_store.h"

namespace inkstream::transport {

using PartStream =
    grpc::ClientReaderWriter<v1::StreamBatchesRequest, v1::BatchPart>;

// For what must come about; how fast is not what these tests are about.
inline constexpr std::chrono::seconds kSoon{60};

class ServingTest : public ::testing::Test {
 protected:
  ServingTest() {
    engine_options_.workers = 2;
    engine_options_.batch_memory = 64U << 20U;
    server_options_.listen = {"127.0.0.1:0"};
    server_options_.version = "test";
  }

  // Changes to the options and the store go before it.
  void Serve(uint64_t drawings = 1000) {
    engine_ = *batch::Engine::Create(engine_options_);
    if (store_ == nullptr) {
      store_ = std::make_shared<testing::FakeStore>(drawings);
    }
    ASSERT_TRUE(engine_->AddDataset("fake", store_).ok());
    auto server = GrpcServer::Start(engine_.get(), server_options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = NewChannel();
    stub_ = v1::DrawingService::NewStub(channel_);
    health_ = ::grpc::health::v1::Health::NewStub(channel_);
  }

  std::shared_ptr<grpc::Channel> NewChannel() {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(64 << 20);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(server_->addresses().front(),
                                     grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  // An opening request for small images of 16 drawings a batch.
  static v1::StreamBatchesRequest SmallRequest(uint32_t credits = 8) {
    v1::StreamBatchesRequest request;
    request.set_dataset("fake");
    request.set_credits(credits);
    v1::Delivery* const delivery = request.mutable_open()->mutable_delivery();
    delivery->mutable_image()->set_height(8);
    delivery->set_batch_size(16);
    delivery->add_columns("label");
    return request;
  }

  static v1::StreamBatchesRequest Credits(uint32_t credits) {
    v1::StreamBatchesRequest request;
    request.set_credits(credits);
    return request;
  }

  v1::GetStatusResponse Status() {
    grpc::ClientContext context;
    v1::GetStatusResponse response;
    EXPECT_TRUE(stub_->GetStatus(&context, {}, &response).ok());
    return response;
  }

  static bool Within(std::chrono::milliseconds limit,
                     const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  // Reason and retry delay (in seconds, -1: none) of an error.
  static std::pair<std::string, double> DetailsOf(const grpc::Status& status) {
    std::pair<std::string, double> found = {"", -1};
    google::rpc::Status details;
    if (!details.ParseFromString(status.error_details())) return found;
    for (const google::protobuf::Any& any : details.details()) {
      google::rpc::ErrorInfo info;
      google::rpc::RetryInfo retry;
      if (any.UnpackTo(&info)) {
        EXPECT_EQ(info.domain(), "inkstream");
        found.first = info.reason();
      }
      if (any.UnpackTo(&retry)) {
        found.second = static_cast<double>(retry.retry_delay().seconds()) +
                       1e-9 * retry.retry_delay().nanos();
      }
    }
    return found;
  }

  batch::EngineOptions engine_options_;
  GrpcServerOptions server_options_;
  std::shared_ptr<testing::FakeStore> store_;
  std::unique_ptr<batch::Engine> engine_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::DrawingService::Stub> stub_;
  std::unique_ptr<::grpc::health::v1::Health::Stub> health_;
};

}  // namespace inkstream::transport
