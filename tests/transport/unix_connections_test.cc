#include "server/transport/grpc/unix_connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "server/transport/grpc/own_sockets.h"
#include "tests/transport/serving_fixture.h"

namespace inkstream::transport {
namespace {

int SendBuffer(int fd) {
  int bytes = 0;
  socklen_t size = sizeof(bytes);
  EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &size), 0);
  return bytes;
}

// A listener at a path, and both ends of one connection to it.
class Connected {
 public:
  explicit Connected(const std::string& name)
      : path_(::testing::TempDir() + name) {
    std::filesystem::remove(path_);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    const auto* const at = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, at, sizeof(address)), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(connect(client_, at, sizeof(address)), 0);
    accepted_ = accept(listener_, nullptr, nullptr);
    const int little = 8192;  // below whatever the machine allows
    setsockopt(accepted_, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
    before_ = SendBuffer(accepted_);
  }
  ~Connected() {
    close(accepted_);
    close(client_);
    close(listener_);
    std::filesystem::remove(path_);
  }

  const std::string& path() const { return path_; }
  int accepted() const { return accepted_; }
  int client() const { return client_; }
  int before() const { return before_; }

 private:
  const std::string path_;
  const int listener_ = socket(AF_UNIX, SOCK_STREAM, 0);
  const int client_ = socket(AF_UNIX, SOCK_STREAM, 0);
  int accepted_ = -1;
  int before_ = 0;
};

TEST(UnixConnectionsTest, TheServersEndOfItsOwnSocketIsWidened) {
  const Connected own("ink_widened");
  const Connected other("ink_other");
  const int clients = SendBuffer(own.client());
  EXPECT_EQ(WidenUnixConnections(own.path()), 1);
  EXPECT_GT(SendBuffer(own.accepted()), own.before());
  EXPECT_EQ(SendBuffer(own.client()), clients);
  EXPECT_EQ(SendBuffer(other.accepted()), other.before());
}

TEST(UnixConnectionsTest, AnotherPathIsNobodys) {
  const Connected own("ink_nobodys");
  EXPECT_EQ(WidenUnixConnections(own.path() + "x"), 0);
  EXPECT_EQ(SendBuffer(own.accepted()), own.before());
}

using ServedUnixTest = ServingTest;

TEST_F(ServedUnixTest, AStreamsConnectionIsWidened) {
  server_options_.unix_path = ::testing::TempDir() + "ink_served";
  Serve();
  const auto stub = v1::DrawingService::NewStub(grpc::CreateChannel(
      "unix:" + server_options_.unix_path, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto stream = stub->StreamBatches(&context);
  stream->Write(SmallRequest());
  v1::BatchPart part;
  ASSERT_TRUE(stream->Read(&part));
  const int fresh = socket(AF_UNIX, SOCK_STREAM, 0);
  int widened = 0;
  ForEachOwnSocket([&](int fd) {
    sockaddr_un bound = {};
    socklen_t size = sizeof(bound);
    getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
    if (bound.sun_path != server_options_.unix_path || IsListening(fd)) return;
    EXPECT_GT(SendBuffer(fd), SendBuffer(fresh));
    ++widened;
  });
  EXPECT_EQ(widened, 1);
  close(fresh);
  context.TryCancel();
  stream->Finish();
}

}  // namespace
}  // namespace inkstream::transport
