#include "server/transport/grpc/grpc_buffer_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace inkstream::transport {
namespace {

TEST(GrpcBufferPoolTest, TheLastBufferReturnedIsTheNextOneLent) {
  GrpcBufferPool pool(1U << 20U);
  auto a = *pool.Acquire(100'000);
  auto b = *pool.Acquire(100'000);
  const uint8_t* const last = a->data();
  b.reset();
  a.reset();
  EXPECT_EQ((*pool.Acquire(100'000))->data(), last);
  EXPECT_EQ((*pool.Acquire(100'100))->data(), last) << "nearly the same size";
}

TEST(GrpcBufferPoolTest, BuffersAreAlignedAndLargeEnough) {
  GrpcBufferPool pool(64U << 20U);
  for (const size_t bytes : {1, 64, 4095, 4096, 4097, 1'000'000, 4'194'368}) {
    const auto buffer = *pool.Acquire(bytes);
    EXPECT_GE(buffer->size(), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % 64, 0U);
    EXPECT_LE(buffer->size(), bytes + bytes / 8 + 4096);
    EXPECT_EQ(buffer->size(), pool.SizeOf(bytes));
  }
}

TEST(GrpcBufferPoolTest, TheBudgetCountsWhatIsLentAndKept) {
  GrpcBufferPool pool(1'000'000);
  auto a = *pool.Acquire(600'000);
  EXPECT_EQ(pool.Acquire(600'000).status().code(),
            absl::StatusCode::kResourceExhausted);
  a.reset();
  EXPECT_EQ(pool.in_use(), 0U);
  // What is kept makes room for another size.
  EXPECT_TRUE(pool.Acquire(900'000).ok());
}

// Memory of this process that is its own, in bytes.
size_t OwnMemory() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "RssAnon:") {
  }
  size_t kib = 0;
  status >> kib;
  return kib << 10U;
}

// malloc would keep it, free or not, where something small lies behind it.
TEST(GrpcBufferPoolTest, WhatMakesRoomGoesBackToTheMachine) {
  constexpr size_t kBudget = 96U << 20U;
  GrpcBufferPool pool(kBudget);
  const size_t before = OwnMemory();
  std::vector<std::unique_ptr<char[]>> small;
  for (size_t round = 0; round < 4; ++round) {
    std::vector<std::unique_ptr<batch::Buffer>> held;
    for (size_t i = 0; i < 80; ++i) {
      held.push_back(*pool.Acquire(((1U << 20U) - 8192 * round) - i * 512));
      std::memset(held.back()->data(), 1, held.back()->size());
      small.push_back(std::make_unique<char[]>(1000));
    }
  }
  const auto all = *pool.Acquire(kBudget);  // untouched
  EXPECT_LT(OwnMemory(), before + kBudget / 8);
}

TEST(GrpcBufferPoolTest, AllOfTheBudgetCanBeHad) {
  for (const size_t budget : {size_t{100'000}, size_t{1'000'003}}) {
    GrpcBufferPool pool(budget);
    EXPECT_EQ(pool.SizeOf(budget), budget);
    EXPECT_TRUE(pool.Acquire(budget).ok());
    EXPECT_FALSE(pool.Acquire(budget + 1).ok());
  }
}

TEST(GrpcBufferPoolTest, ABufferMayOutliveItsPool) {
  auto pool = std::make_unique<GrpcBufferPool>(100'000);
  auto buffer = *pool->Acquire(10'000);
  pool.reset();
  buffer->data()[9'999] = 1;
  buffer.reset();
}

}  // namespace
}  // namespace inkstream::transport
