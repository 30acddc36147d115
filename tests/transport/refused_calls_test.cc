// What is told of calls that are refused before any handler is asked.
#include <gmock/gmock.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/transport/call_observer.h"
#include "tests/transport/serving_fixture.h"

namespace inkstream::transport {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint32_t kMaxCalls = 8;  // of which one caller has 7

class NotingObserver : public CallObserver {
 public:
  void OnStreamOpened(const StreamReport&) override {}
  void OnStreamEnded(const StreamReport&) override {}
  void OnRefused(const std::string& method, const Peer& peer,
                 const absl::Status& status) override {
    const std::lock_guard<std::mutex> lock(mu_);
    refused_.push_back(method + " of " + peer.name + ": " + status.ToString());
  }
  std::vector<std::string> refused() {
    const std::lock_guard<std::mutex> lock(mu_);
    return refused_;
  }

 private:
  std::mutex mu_;
  std::vector<std::string> refused_;
};

class RefusedCallsTest : public ServingTest {
 protected:
  RefusedCallsTest() {
    server_options_.max_calls = kMaxCalls;
    server_options_.observer = &observer_;
  }
  // Before the observer.
  ~RefusedCallsTest() override { server_.reset(); }

  NotingObserver observer_;
};

TEST_F(RefusedCallsTest, ThoseThatAreTooManyAreToldOfOnceWithCodeAndPeer) {
  Serve();
  struct Watch {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<::grpc::health::v1::HealthCheckResponse>>
        reader;
  };
  std::vector<std::unique_ptr<Watch>> watches;
  for (uint32_t i = 0; i < kMaxCalls - 1; ++i) {
    watches.push_back(std::make_unique<Watch>());
    watches.back()->reader = health_->Watch(&watches.back()->context, {});
    ::grpc::health::v1::HealthCheckResponse response;
    ASSERT_TRUE(watches.back()->reader->Read(&response));
  }
  {
    grpc::ClientContext context;
    v1::GetStatusResponse response;
    EXPECT_EQ(stub_->GetStatus(&context, {}, &response).error_code(),
              grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
  {
    grpc::ClientContext context;
    const auto stream = stub_->StreamBatches(&context);
    stream->Write(SmallRequest());
    EXPECT_EQ(stream->Finish().error_code(),
              grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
  for (const auto& watch : watches) watch->context.TryCancel();
  for (const auto& watch : watches) watch->reader->Finish();
  server_->Shutdown({});
  const auto refused = [](const char* method) {
    return AllOf(StartsWith(std::string(method) + " of ipv4:127.0.0.1:"),
                 HasSubstr("RESOURCE_EXHAUSTED: OVERLOADED"));
  };
  std::vector<std::string> told = observer_.refused();
  // Those that the client took back are told of too.
  std::erase_if(told,
                [](const std::string& one) { return one.find("Health") == 0; });
  EXPECT_THAT(told,
              ElementsAre(refused("GetStatus"), refused("StreamBatches")));
  const auto counts = server_->Figures().counts;
  for (const char* method : {"GetStatus", "StreamBatches"}) {
    EXPECT_EQ(counts.calls.at({method, "RESOURCE_EXHAUSTED"}), 1U) << method;
    EXPECT_FALSE(counts.calls.contains({method, "CANCELLED"})) << method;
  }
  EXPECT_EQ(counts.rejected.at("OVERLOADED"), 2U);
}

TEST_F(RefusedCallsTest, CallsThatHaveEndedCountNoMore) {
  Serve();
  for (uint32_t i = 0; i < 2 * kMaxCalls; ++i) {
    grpc::ClientContext context;
    v1::GetStatusResponse response;
    ASSERT_TRUE(stub_->GetStatus(&context, {}, &response).ok()) << i;
  }
}

}  // namespace
}  // namespace inkstream::transport
