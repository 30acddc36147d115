#include "server/app/serve/scrubber.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::app {
namespace {

class ScrubberTest : public ::testing::Test {
 protected:
  ScrubberTest() {
    batch::EngineOptions options;
    options.workers = 1;
    options.batch_memory = 64U << 20U;
    engine_ = *batch::Engine::Create(options);
    store::MustWrite(path_, store::SampleDrawings(20000));
    EXPECT_TRUE(engine_->AddDataset("served", store::MustOpen(path_)).ok());
  }

  void Start(uint64_t bytes_a_second) {
    scrubber_.emplace(
        engine_.get(), bytes_a_second,
        [this](const std::string& dataset, const Scrubber::Figures& figures) {
          EXPECT_EQ(dataset, "served");
          passes_ = figures.passes;
          bytes_ = figures.bytes;
          damaged_ = figures.damaged;
        });
  }

  // Waits for as long as ctest lets it.
  static void Await(const std::function<bool()>& condition) {
    while (!condition()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  const testing::ScratchDirectory scratch_;
  const std::string path_ = scratch_.File("s.ink");
  std::unique_ptr<batch::Engine> engine_;
  std::atomic<uint64_t> passes_{0};
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> damaged_{0};
  std::optional<Scrubber> scrubber_;
};

TEST_F(ScrubberTest, ASoundStoreIsReadAgainAndAgain) {
  Start(uint64_t{1} << 40);
  Await([&] { return passes_ >= 2; });
  EXPECT_EQ(damaged_, 0);
  const uint64_t size =
      std::filesystem::file_size(path_ + "/segment-000000.mdb");
  EXPECT_GT(bytes_, 2 * (size * 9 / 10));
}

TEST_F(ScrubberTest, WhatFlipsIsFoundInALaterPassAndForgottenOnceItIsSound) {
  Start(uint64_t{1} << 40);
  Await([&] { return passes_ >= 1; });
  const int file = open((path_ + "/segment-000000.mdb").c_str(), O_RDWR);
  const off_t middle =
      static_cast<off_t>(
          std::filesystem::file_size(path_ + "/segment-000000.mdb") / 8192) *
      4096;
  char sound[8];
  ASSERT_EQ(pread(file, sound, sizeof(sound), middle + 700), 8);
  ASSERT_EQ(pwrite(file, "????????", 8, middle + 700), 8);
  Await([&] { return damaged_ > 0; });
  ASSERT_EQ(pwrite(file, sound, sizeof(sound), middle + 700), 8);
  close(file);
  Await([&] { return damaged_ == 0; });
}

TEST_F(ScrubberTest, ASlowOneEndsAtOnce) {
  Start(1);
  Await([&] { return bytes_ > 0; });
  scrubber_.reset();
  EXPECT_EQ(passes_, 0);
}

}  // namespace
}  // namespace inkstream::app
