#include "server/page/pixel_pool.h"

#include <gtest/gtest.h>

#include <memory>

#include "inkstream/tensor.h"

namespace inkstream::page {
namespace {

TEST(PixelPoolTest, LendsNoMoreThanItsBudget) {
  PixelPool pool(1024);
  EXPECT_EQ(pool.SizeOf(1024), 1024);
  auto most = pool.Acquire(1000);
  ASSERT_TRUE(most.ok());
  EXPECT_GE((*most)->size(), 1000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>((*most)->data()) % kTensorAlignment, 0);
  EXPECT_EQ(pool.Acquire(1).status().code(),
            absl::StatusCode::kResourceExhausted);
  most->reset();
  EXPECT_TRUE(pool.Acquire(1024).ok());
}

TEST(PixelPoolTest, WhatIsLentOutlivesThePool) {
  auto pool = std::make_unique<PixelPool>(1024);
  auto buffer = pool->Acquire(64);
  pool.reset();
  ASSERT_TRUE(buffer.ok());
  (*buffer)->data()[63] = 1;
}

}  // namespace
}  // namespace inkstream::page
