// Tokens, slots and budgets, with clients that do what they should not.

#include "server/transport/shm/shm_host.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace inkstream::transport {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kBatch = 5000;       // bytes
constexpr uint64_t kSlot = 8192;        // what they take
constexpr uint64_t kBudget = 64 << 20;  // bytes

size_t OpenDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

class ShmHostTest : public ::testing::Test {
 protected:
  void SetUp() override { Start(kBudget); }

  void Start(uint64_t budget) {
    host_.reset();
    auto host = ShmHost::Start(path_, budget, /*max_credits=*/8);
    ASSERT_TRUE(host.ok()) << host.status();
    host_ = *std::move(host);
  }

  int Connect() {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    EXPECT_EQ(
        connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  // The descriptor; -1 where the token is refused.
  int Redeem(const std::string& token) {
    const int fd = Connect();
    EXPECT_EQ(send(fd, token.data(), token.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(token.size()));
    char byte = 0;
    iovec bytes = {&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    EXPECT_EQ(recvmsg(fd, &message, MSG_CMSG_CLOEXEC), 1);
    close(fd);
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    EXPECT_EQ(byte, header != nullptr ? kGranted : kRefused);
    if (header == nullptr) return -1;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
    return descriptor;
  }

  const std::string path_ =
      ::testing::TempDir() + std::to_string(getpid()) + "_shm_host.fd";
  std::unique_ptr<ShmHost> host_;
};

TEST_F(ShmHostTest, ClientReadsWhatTheServerDrewAndCannotChangeIt) {
  ShmOffer offer = *host_->Offer(kBatch);
  EXPECT_EQ(offer.area->layout().slot_bytes, kSlot);
  EXPECT_EQ(offer.credit_window, 8);
  auto buffer = *offer.area->Acquire(kBatch);
  std::memset(buffer->data(), 7, kBatch);
  const uint32_t slot = offer.area->Lend(0, std::move(buffer));

  const int fd = Redeem(offer.token);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(fcntl(fd, F_GET_SEALS) & kRequiredSeals, kRequiredSeals);
  const uint64_t bytes = offer.area->layout().bytes();
  void* const read = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0);
  ASSERT_NE(read, MAP_FAILED);
  EXPECT_EQ(static_cast<uint8_t*>(
                read)[offer.area->layout().OffsetOf(slot) + kBatch - 1],
            7);

  EXPECT_EQ(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
            MAP_FAILED);
  EXPECT_NE(mprotect(read, bytes, PROT_READ | PROT_WRITE), 0);
  EXPECT_LT(pwrite(fd, "x", 1, 0), 0);
  EXPECT_NE(ftruncate(fd, 0), 0);
  EXPECT_NE(ftruncate(fd, static_cast<off_t>(2 * bytes)), 0);
  EXPECT_NE(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096),
            0);
  munmap(read, bytes);
  close(fd);
  offer.area->Close();
}

TEST_F(ShmHostTest, TokenIsGoodOnceAndForNobodyWhoGuesses) {
  const ShmOffer offer = *host_->Offer(kBatch);
  std::string wrong = offer.token;
  wrong[0] = static_cast<char>(wrong[0] ^ 1);
  EXPECT_EQ(Redeem(wrong), -1);
  const int fd = Redeem(offer.token);
  EXPECT_GE(fd, 0);
  close(fd);
  EXPECT_EQ(Redeem(offer.token), -1);
}

TEST_F(ShmHostTest, TokenOfAStreamThatEndedIsRefused) {
  std::string token;
  {
    const ShmOffer offer = *host_->Offer(kBatch);
    token = offer.token;
    EXPECT_EQ(host_->tokens(), 1);
  }
  EXPECT_EQ(host_->tokens(), 0);
  EXPECT_EQ(Redeem(token), -1);
}

TEST_F(ShmHostTest, ConnectionsThatSayNothingKeepNobodyOut) {
  std::vector<int> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(Connect());
  const ShmOffer offer = *host_->Offer(kBatch);
  const int fd = Redeem(offer.token);
  EXPECT_GE(fd, 0);
  close(fd);
  for (const int one : silent) close(one);
}

TEST_F(ShmHostTest, SlotThatIsLentIsNotHandedOutAgain) {
  const ShmOffer offer = *host_->Offer(kBatch);
  std::vector<uint8_t*> slots;
  for (uint32_t i = 0; i < offer.area->layout().slots; ++i) {
    auto buffer = *offer.area->Acquire(kBatch);
    slots.push_back(buffer->data());
    offer.area->Lend(i, std::move(buffer));
  }
  std::sort(slots.begin(), slots.end());
  EXPECT_EQ(std::unique(slots.begin(), slots.end()), slots.end());
  EXPECT_TRUE(offer.area->exhausted());
  EXPECT_EQ(offer.area->Acquire(kBatch).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(offer.area->Release({3}).ok());
  EXPECT_TRUE(offer.area->Acquire(kBatch).ok());
  // What is lent keeps the area, until the stream ends.
  offer.area->Close();
}

TEST_F(ShmHostTest, ReleasingWhatIsNotLentIsAnError) {
  const ShmOffer offer = *host_->Offer(kBatch);
  offer.area->Lend(0, *offer.area->Acquire(kBatch));
  EXPECT_TRUE(offer.area->Release({0}).ok());
  const absl::Status twice = offer.area->Release({0});
  EXPECT_EQ(twice.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(twice.message()), HasSubstr("batch 0"));
  EXPECT_FALSE(offer.area->Release({77}).ok());
}

TEST_F(ShmHostTest, BudgetCountsEveryStreamAndComesBack) {
  Start(40 * kSlot);
  {
    const ShmOffer whole = *host_->Offer(kBatch);  // 16 slots
    const ShmOffer other = *host_->Offer(kBatch);
    EXPECT_EQ(host_->in_use(), 32 * kSlot);
    const absl::Status spent = host_->Offer(kBatch).status();
    EXPECT_EQ(spent.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(spent.message()), HasSubstr("--shm-bytes"));
  }
  EXPECT_EQ(host_->in_use(), 0);
  EXPECT_TRUE(host_->Offer(kBatch).ok());
}

TEST_F(ShmHostTest, ShortBudgetGivesASmallWindow) {
  Start(10 * kSlot);
  const ShmOffer offer = *host_->Offer(kBatch);
  EXPECT_EQ(offer.credit_window, 2);
  EXPECT_EQ(offer.area->layout().slots, 10);
}

TEST_F(ShmHostTest, ClientKeepsItsBytesWhenTheStreamHasEnded) {
  auto offer = std::make_unique<ShmOffer>(*host_->Offer(kBatch));
  auto buffer = *offer->area->Acquire(kBatch);
  std::memset(buffer->data(), 9, kBatch);
  const uint32_t slot = offer->area->Lend(0, std::move(buffer));
  const SlotLayout layout = offer->area->layout();
  const int fd = Redeem(offer->token);
  const auto* const read = static_cast<const uint8_t*>(
      mmap(nullptr, layout.bytes(), PROT_READ, MAP_SHARED, fd, 0));
  close(fd);
  offer->area->Close();
  offer.reset();
  host_.reset();
  EXPECT_EQ(read[layout.OffsetOf(slot)], 9);
  munmap(const_cast<uint8_t*>(read), layout.bytes());
}

TEST_F(ShmHostTest, StreamsThatComeAndGoLeaveNoDescriptors) {
  close(Redeem(host_->Offer(kBatch)->token));
  const size_t before = OpenDescriptors();
  for (int i = 0; i < 300; ++i) {
    const ShmOffer offer = *host_->Offer(kBatch);
    const int fd = Redeem(offer.token);
    ASSERT_GE(fd, 0);
    close(fd);
  }
  EXPECT_EQ(host_->in_use(), 0);
  // The socket's thread may be about to close the last ones.
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (OpenDescriptors() > before &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  EXPECT_LE(OpenDescriptors(), before);
}

}  // namespace
}  // namespace inkstream::transport
