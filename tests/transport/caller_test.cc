// Whose share a stream has: what the server knows of a client decides, never
// what it says of itself.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "server/transport/grpc/calls/authenticator.h"
#include "server/transport/listener/listening_socket.h"
#include "tests/transport/serving_fixture.h"

namespace inkstream::transport {
namespace {

class CallerTest : public ServingTest {
 protected:
  // Reads batches until `stop`, and counts them.
  void Stream(const std::string& target, const std::string& token,
              std::atomic<uint64_t>* batches) {
    threads_.emplace_back([this, target, token, batches] {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      const auto stub = v1::DrawingService::NewStub(grpc::CreateCustomChannel(
          target, grpc::InsecureChannelCredentials(), arguments));
      grpc::ClientContext context;
      if (!token.empty()) context.AddMetadata("authorization", token);
      const auto stream = stub->StreamBatches(&context);
      v1::StreamBatchesRequest request = SmallRequest();
      request.mutable_open()->mutable_delivery()->set_forever(true);
      stream->Write(request);
      v1::BatchPart part;
      while (!stop_ && stream->Read(&part)) {
        if (part.batches_size() == 0) continue;
        *batches += part.batches_size();
        stream->Write(Credits(part.batches_size()));
      }
      context.TryCancel();
      while (stream->Read(&part)) {
      }
      stream->Finish();
    });
  }

  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

TEST_F(CallerTest, AMadeUpAuthorizationMakesNobodyAnotherCaller) {
  engine_options_.workers = 1;
  store_ = std::make_shared<testing::FakeStore>(1000);
  store_->SlowDown(200);
  server_options_.unix_path = ::testing::TempDir() + "ink_caller";
  Serve();
  std::atomic<uint64_t> many{0};
  std::atomic<uint64_t> one{0};
  for (int i = 0; i < 8; ++i) {
    Stream(server_->addresses().front(), "Bearer " + std::to_string(i), &many);
  }
  Stream("unix:" + server_options_.unix_path, "", &one);
  EXPECT_TRUE(Within(kSoon, [&] { return many > 0 && one > 0; }));
  const uint64_t many_before = many;
  const uint64_t one_before = one;
  EXPECT_TRUE(Within(kSoon, [&] { return one > one_before + 100; }));
  const uint64_t many_since = many - many_before;
  const uint64_t one_since = one - one_before;
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  // As much for each of two callers, against eight times as much.
  EXPECT_LT(many_since, 3 * one_since);
}

// Needs to be root, to be somebody else too.
TEST(UnixCallerTest, TwoUsersOfTheSocketAreTwoCallers) {
  if (getuid() != 0) GTEST_SKIP() << "only root can be two users";
  const std::string path = ::testing::TempDir() + "ink_users";
  const auto listener = ListeningSocket::OnPath(path, {.mode = 0777});
  ASSERT_TRUE(listener.ok()) << listener.status();
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  for (const uid_t user : {0, 65534}) {
    const pid_t child = fork();
    if (child == 0) {
      const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
      if (setuid(user) != 0 ||
          connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
              0) {
        _exit(1);
      }
      _exit(0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    const int fd = accept(listener->fd(), nullptr, nullptr);
    const Peer peer = PeerOfSocket(fd);
    EXPECT_EQ(peer.caller, "unix:uid=" + std::to_string(user));
    EXPECT_EQ(peer.name, peer.caller + ",pid=" + std::to_string(child));
    close(fd);
  }
}

}  // namespace
}  // namespace inkstream::transport
