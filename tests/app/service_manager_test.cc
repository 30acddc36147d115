#include "server/app/serve/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

namespace inkstream::app {
namespace {

// The socket that systemd would listen on, under a name without a file.
class ServiceManagerTest : public testing::Test {
 protected:
  ServiceManagerTest()
      : name_("inkstream-test-" + std::to_string(getpid())),
        fd_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name_.copy(address.sun_path + 1, name_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) +
                                             1 + name_.size());
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    setenv("NOTIFY_SOCKET", ("@" + name_).c_str(), 1);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
  }
  ~ServiceManagerTest() override {
    unsetenv("NOTIFY_SOCKET");
    close(fd_);
  }

  // Waits for what comes next; "" where nothing is there and `flags` is
  // MSG_DONTWAIT.
  std::string Next(int flags = 0) const {
    char text[64];
    const ssize_t size = recv(fd_, text, sizeof(text), flags);
    return size < 0 ? "" : std::string(text, static_cast<size_t>(size));
  }

  const std::string name_;
  const int fd_;
};

TEST_F(ServiceManagerTest, AServiceIsReadyAndLaterStops) {
  const ServiceManager manager([] { return true; });
  EXPECT_EQ(Next(), "READY=1");
  manager.Stopping();
  EXPECT_EQ(Next(), "STOPPING=1");
  EXPECT_EQ(Next(MSG_DONTWAIT), "");
}

TEST_F(ServiceManagerTest, TheWatchdogHearsOfAServiceThatIsWellAndOfNoOther) {
  setenv("WATCHDOG_USEC", "3000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  std::atomic<bool> well = true;
  std::atomic<int> asked = 0;
  const ServiceManager manager([&] {
    ++asked;
    return well.load();
  });
  EXPECT_EQ(Next(), "READY=1");
  EXPECT_EQ(Next(), "WATCHDOG=1");
  EXPECT_EQ(Next(), "WATCHDOG=1");
  well = false;
  // What was asked before may be said yet; of what is asked now, nothing is.
  const int then = asked;
  while (asked < then + 2) usleep(100);
  while (!Next(MSG_DONTWAIT).empty()) {
  }
  while (asked < then + 5) usleep(100);
  EXPECT_EQ(Next(MSG_DONTWAIT), "");
}

TEST_F(ServiceManagerTest, AWatchdogOfAnotherProcessIsNotAnswered) {
  setenv("WATCHDOG_USEC", "1000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  std::atomic<bool> asked = false;
  const ServiceManager others([&] {
    asked = true;
    return true;
  });
  EXPECT_EQ(Next(), "READY=1");
  // As long as it takes to hear of one that is answered.
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  const ServiceManager ours([] { return true; });
  EXPECT_EQ(Next(), "READY=1");
  EXPECT_EQ(Next(), "WATCHDOG=1");
  EXPECT_EQ(Next(), "WATCHDOG=1");
  EXPECT_FALSE(asked);
}

TEST_F(ServiceManagerTest, AManagerThatIsGoneHoldsNothingUp) {
  setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
  const ServiceManager manager([] { return true; });
  manager.Stopping();
  setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
  const ServiceManager longer([] { return true; });
  EXPECT_EQ(Next(MSG_DONTWAIT), "");
}

}  // namespace
}  // namespace inkstream::app
