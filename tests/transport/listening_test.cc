#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/transport/serving_fixture.h"

namespace inkstream::transport {
namespace {

std::string TemporaryPath(const std::string& name) {
  const std::string path = ::testing::TempDir() + "ink_" + name;
  std::filesystem::remove(path);
  return path;
}

class ListeningTest : public ServingTest {
 protected:
  absl::Status Started(const std::vector<std::string>& listen) {
    engine_ = *batch::Engine::Create(engine_options_);
    server_options_.listen = listen;
    return GrpcServer::Start(engine_.get(), server_options_).status();
  }
};

TEST_F(ListeningTest, ATakenPortIsAnErrorAndNotShared) {
  Serve();
  const std::string taken = server_->addresses().front();
  GrpcServerOptions options = server_options_;
  options.listen = {taken};
  const absl::Status status =
      GrpcServer::Start(engine_.get(), options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.message().find(taken), std::string::npos);
}

TEST_F(ListeningTest, TheNetworkMustBeAskedFor) {
  const absl::Status status = Started({"0.0.0.0:0"});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("--insecure-network"), std::string::npos);
  server_options_.insecure_network = true;
  EXPECT_TRUE(Started({"0.0.0.0:0"}).ok());
}

// Both are numbers, of 127.0.0.1 and of 0.0.0.0.
TEST_F(ListeningTest, AnAddressIsJudgedByWhatItMeansInWhateverForm) {
  EXPECT_TRUE(Started({"2130706433:0"}).ok());
  EXPECT_EQ(Started({"0:0"}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ListeningTest,
       EveryListenerServesAndThoseOfTheNetworkServeBothFamilies) {
  server_options_.insecure_network = true;
  server_options_.listen = {"127.0.0.1:0", "localhost:0", "[::1]:0",
                            "0.0.0.0:0"};
  Serve();
  ASSERT_EQ(server_->addresses().size(), 4U);
  std::vector<std::string> targets = server_->addresses();
  EXPECT_EQ(targets[3].rfind("0.0.0.0:", 0), 0U);
  const std::string port = targets[3].substr(targets[3].rfind(':'));
  targets[3] = "127.0.0.1" + port;
  targets.push_back("[::1]" + port);
  for (const std::string& target : targets) {
    grpc::ClientContext context;
    v1::ListDatasetsResponse response;
    EXPECT_TRUE(
        v1::DrawingService::NewStub(
            grpc::CreateChannel(target, grpc::InsecureChannelCredentials()))
            ->ListDatasets(&context, {}, &response)
            .ok())
        << target;
  }
}

TEST_F(ListeningTest, APeerIsNamedByItsAddressOrItsUser) {
  server_options_.listen = {"127.0.0.1:0", "[::1]:0"};
  server_options_.unix_path = TemporaryPath("peers");
  Serve();
  const std::string user = "unix:uid=" + std::to_string(getuid()) +
                           ",pid=" + std::to_string(getpid());
  const std::vector<std::pair<std::string, std::string>> peers = {
      {server_->addresses()[0], "ipv4:127.0.0.1:"},
      {server_->addresses()[1], "ipv6:[::1]:"},
      {"unix:" + server_options_.unix_path, user}};
  for (const auto& [target, name] : peers) {
    const auto stub = v1::DrawingService::NewStub(
        grpc::CreateChannel(target, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    const auto stream = stub->StreamBatches(&context);
    stream->Write(SmallRequest());
    v1::BatchPart part;
    ASSERT_TRUE(stream->Read(&part));
    const v1::GetStatusResponse status = Status();
    EXPECT_EQ(status.streams(status.streams_size() - 1).peer().rfind(name, 0),
              0U)
        << status.DebugString();
    context.TryCancel();
    stream->Finish();
  }
}

TEST_F(ListeningTest, ModeAndGroupOfTheSocketAreWhatWasAskedFor) {
  server_options_.unix_path = TemporaryPath("mode");
  server_options_.unix_access = {0660, getgid()};
  Serve();
  const auto permissions =
      std::filesystem::status(server_options_.unix_path).permissions();
  EXPECT_EQ(static_cast<unsigned>(permissions), 0660U);
}

TEST_F(ListeningTest, AUnixSocketServesAndGoesWithTheServer) {
  server_options_.unix_path = TemporaryPath("serve");
  Serve();
  auto channel = grpc::CreateChannel("unix:" + server_options_.unix_path,
                                     grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  v1::ListDatasetsResponse response;
  EXPECT_TRUE(v1::DrawingService::NewStub(channel)
                  ->ListDatasets(&context, {}, &response)
                  .ok());
  GrpcServerOptions second = server_options_;
  EXPECT_EQ(GrpcServer::Start(engine_.get(), second).status().code(),
            absl::StatusCode::kAlreadyExists);
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(server_options_.unix_path));
}

}  // namespace
}  // namespace inkstream::transport
