#include "server/base/network_address.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "server/base/socket_file.h"
#include "tests/transport/serving_fixture.h"

namespace inkstream::transport {
namespace {

std::string TemporaryPath(const std::string& name) {
  const std::string path = ::testing::TempDir() + "ink_" + name;
  std::filesystem::remove(path);
  return path;
}

// A socket bound to `path`, listening if asked.
int Bind(const std::string& path, bool listening) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
            0);
  if (listening) {
    EXPECT_EQ(listen(fd, 1), 0);
  }
  return fd;
}

std::string CallerOn(const std::string& host) {
  return CallerAt(Resolve({host, 5})->front());
}

TEST(ListenAddressTest, HostsAndPortsAreTakenApart) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:50051")->port, 50051);
  EXPECT_EQ(ParseListenAddress("[::1]:0")->host, "[::1]");
  for (const char* bad :
       {"", "50051", ":1", "host:", "host:x", "host:70000", "host:-1"}) {
    EXPECT_FALSE(ParseListenAddress(bad).ok()) << bad;
  }
}

TEST(ListenAddressTest, OnlyLoopbackStaysOnTheMachine) {
  for (const char* local : {"127.0.0.1", "127.8.0.1", "[::1]", "::1",
                            "localhost", "LOCALHOST", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IsLoopbackHost(local)) << local;
  }
  for (const char* open :
       {"0.0.0.0", "[::]", "10.0.0.1", "host", "127.example.org", "127.0.0",
        "localhost.example.org", "127.0.0.1.example.org", "::ffff:10.0.0.1",
        "[::1", ""}) {
    EXPECT_FALSE(IsLoopbackHost(open)) << open;
  }
}

TEST(ListenAddressTest, WhatANameStandsForIsJudgedByItsAddresses) {
  for (const char* local : {"127.0.0.1:1", "[::1]:1", "localhost:1"}) {
    const auto places = *Resolve(*ParseListenAddress(local));
    for (const sockaddr_storage& place : places) {
      EXPECT_TRUE(IsLoopback(place)) << local;
    }
  }
  EXPECT_FALSE(IsLoopback(Resolve({"0.0.0.0", 1})->front()));
  EXPECT_EQ(Resolve({"127.example.invalid", 1}).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(ListenAddressTest, AddressesAreWrittenAsPeopleDo) {
  EXPECT_EQ(ToString(Resolve({"127.0.0.1", 5})->front()), "127.0.0.1:5");
  EXPECT_EQ(ToString(Resolve({"[fd00::7]", 5})->front()), "[fd00::7]:5");
  EXPECT_EQ(ToString(Resolve({"[::ffff:10.0.0.7]", 5})->front()), "10.0.0.7:5");
  EXPECT_EQ(HostOf(Resolve({"[fd00::7]", 5})->front()), "fd00::7");
}

TEST(ListenAddressTest, AMachineHasAllAddressesOfItsIPv6Network) {
  EXPECT_EQ(CallerOn("[2001:db8:1:2:3:4:5:6]"), "ipv6:2001:db8:1:2::/64");
  EXPECT_EQ(CallerOn("[2001:db8:1:2::7]"), "ipv6:2001:db8:1:2::/64");
  EXPECT_NE(CallerOn("[2001:db8:1:3::7]"), CallerOn("[2001:db8:1:2::7]"));
  EXPECT_EQ(CallerOn("[fe80::1]"), CallerOn("[fe80::2]"));
  EXPECT_EQ(CallerOn("[::ffff:10.0.0.7]"), CallerOn("10.0.0.7"));
  EXPECT_EQ(CallerOn("10.0.0.7"), "ipv4:10.0.0.7");
  EXPECT_NE(CallerOn("10.0.0.7"), CallerOn("10.0.0.8"));
}

TEST(ListenAddressTest, AllLoopbackAddressesAreOneCaller) {
  for (const char* host : {"127.0.0.1", "127.0.0.2", "127.255.255.254", "[::1]",
                           "[::ffff:127.0.0.3]"}) {
    EXPECT_EQ(CallerOn(host), "localhost") << host;
  }
}

TEST(ClearSocketFileTest, ADeadSocketIsRemoved) {
  const std::string path = TemporaryPath("dead");
  close(Bind(path, /*listening=*/true));
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(ClearSocketFile(path).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(ClearSocketFile(path).ok());
}

TEST(ClearSocketFileTest, ALiveSocketIsLeftAlone) {
  const std::string path = TemporaryPath("live");
  const int fd = Bind(path, /*listening=*/true);
  EXPECT_EQ(ClearSocketFile(path).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::filesystem::exists(path));
  close(fd);
  std::filesystem::remove(path);
}

TEST(ClearSocketFileTest, AFileThatIsNoSocketIsLeftAlone) {
  const std::string path = TemporaryPath("file");
  std::ofstream(path) << "precious";
  EXPECT_EQ(ClearSocketFile(path).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove(path);
}

TEST(ClearSocketFileTest, APathThatIsTooLongIsNamed) {
  EXPECT_EQ(ClearSocketFile("/" + std::string(200, 'a')).code(),
            absl::StatusCode::kInvalidArgument);
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
