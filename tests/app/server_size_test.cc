#include "server/app/commands/server_size.h"

#include <gtest/gtest.h>

namespace inkstream::app {
namespace {

TEST(ServerSizeTest, TrainersThatDrawTakeRowsOfStrokes) {
  // 80,000 * 1.0 ms / 1,000, whatever the image is.
  const ServerSize size = ServerSizeFor({.trainers = 8,
                                         .drawings_a_second = 10'000,
                                         .pixels = 224 * 224,
                                         .batch_bytes = 256 * 50'200,
                                         .batch = 256,
                                         .store_bytes = 5'000'000},
                                        4);
  EXPECT_NEAR(size.cores, 0.08 * 4 / 3, 1e-9);
  EXPECT_NEAR(size.network, 8'000'000, 1);
  EXPECT_EQ(size.memory, (64U << 20U) + 8U * 8U * (256U << 10U));
  EXPECT_EQ(size.replicas, 2U);
}

TEST(ServerSizeTest, IsTheRunbooksFormulaWhereTheServerDraws) {
  // 8 trainers of 10,000 drawings/s at 128x128: 80,000 * 8.1 ms / 1,000.
  const ServerSize size = ServerSizeFor({.trainers = 8,
                                         .drawings_a_second = 10'000,
                                         .draw = false,
                                         .pixels = 128 * 128,
                                         .batch_bytes = 256 * 16'400,
                                         .batch = 256,
                                         .store_bytes = 5'000'000},
                                        4);
  EXPECT_NEAR(size.cores, 0.648 * 4 / 3, 1e-9);
  EXPECT_NEAR(size.network, 80'000 * 16'400.0, 1);
  EXPECT_EQ(size.memory, (64U << 20U) + 8U * 8U * 256U * 16'400U);
  EXPECT_EQ(size.store_in_memory, 5'000'000U);
  EXPECT_EQ(size.replicas, 2U);
}

TEST(ServerSizeTest, LiesBetweenWhatWasMeasuredAndGoesOnBeyond) {
  const auto cores = [](uint64_t pixels) {
    return ServerSizeFor({.trainers = 1,
                          .drawings_a_second = 750'000,
                          .draw = false,
                          .pixels = pixels,
                          .batch_bytes = 1,
                          .batch = 1},
                         4)
        .cores;
  };
  EXPECT_NEAR(cores(0), 2.8, 1e-9);
  EXPECT_NEAR(cores(28 * 28), 2.8, 1e-9);
  EXPECT_GT(cores(100 * 100), 3.7);
  EXPECT_LT(cores(100 * 100), 8.1);
  EXPECT_NEAR(cores(448 * 448), 4 * 23, 1e-9);
}

TEST(ServerSizeTest, AddsOneToRollOutWith) {
  const auto replicas = [](double rate) {
    return ServerSizeFor({.trainers = 1,
                          .drawings_a_second = rate,
                          .draw = false,
                          .pixels = 1,
                          .batch_bytes = 1,
                          .batch = 1},
                         2)
        .replicas;
  };
  EXPECT_EQ(replicas(1), 2U);
  EXPECT_EQ(replicas(525'000), 2U);
  EXPECT_EQ(replicas(562'500), 3U);
}

}  // namespace
}  // namespace inkstream::app
