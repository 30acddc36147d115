#include "server/app/serve/generation_watch.h"

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::app {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr uint64_t kDrawings = 300;

class GenerationWatchTest : public ::testing::Test {
 protected:
  GenerationWatchTest() {
    batch::EngineOptions options;
    options.workers = 1;
    options.batch_memory = 64U << 20U;
    engine_ = *batch::Engine::Create(options);
    store::MustWrite(path_, store::SampleDrawings(kDrawings));
    const auto store = store::MustOpen(path_);
    EXPECT_TRUE(engine_->AddDataset("served", store).ok());
    store_ = store;
  }

  void Watch(milliseconds interval = milliseconds(2)) {
    watch_.emplace(
        engine_.get(),
        std::vector<GenerationWatch::Served>{
            {"served", path_, GenerationWatch::IdentityOf(path_), store_}},
        store::OpenOptions(), interval,
        [this](const std::string& dataset, const GenerationWatch::State& how) {
          EXPECT_EQ(dataset, "served");
          refused_ = how.successor_refused;
          lost_ = !how.lost.empty();
        });
  }

  // Adds `drawings` to a copy of the store, and answers where it is.
  std::string Later(uint64_t drawings = kDrawings) const {
    const std::string path = scratch_.File("later.ink");
    fs::copy(path_, path, fs::copy_options::recursive);
    store::WriterOptions options;
    options.append = true;
    store::MustWrite(path, store::SampleDrawings(drawings), options);
    return path;
  }

  // As programs do that never show half a file.
  void CopyIn(const std::string& from, const std::string& name) const {
    fs::copy_file(from + "/" + name, path_ + "/." + name);
    fs::rename(path_ + "/." + name, path_ + "/" + name);
  }

  void Replace(const std::string& by) const {
    fs::rename(path_, scratch_.File("away"));
    fs::rename(by, path_);
  }

  std::shared_ptr<const store::StoreReader> Newest(
      const std::string& dataset = "served") const {
    return engine_->Describe(dataset, View())->store;
  }
  bool Refused() const { return refused_; }
  bool ServesTheFirst() const {
    return Newest()->info().fingerprint == store_->info().fingerprint;
  }

  // Waits for as long as ctest lets it.
  static void Await(const std::function<bool()>& condition) {
    while (!condition()) std::this_thread::sleep_for(milliseconds(1));
  }

  const testing::ScratchDirectory scratch_;
  const std::string path_ = scratch_.File("s.ink");
  std::shared_ptr<const store::StoreReader> store_;
  std::unique_ptr<batch::Engine> engine_;
  std::atomic<bool> refused_{false};
  std::atomic<bool> lost_{false};
  std::optional<GenerationWatch> watch_;
};

TEST_F(GenerationWatchTest, AManifestMayComeBeforeItsSegments) {
  const std::string later = Later();
  Watch();
  CopyIn(later, "MANIFEST");
  Await([&] { return Refused(); });
  EXPECT_TRUE(ServesTheFirst());
  CopyIn(later, "MANIFEST.000001");
  CopyIn(later, "segment-000001.mdb");
  Await([&] { return !ServesTheFirst(); });
  EXPECT_EQ(Newest()->size(), 2 * kDrawings);
  Await([&] { return !Refused(); });
}

TEST_F(GenerationWatchTest, SegmentsMayComeBeforeTheirManifest) {
  const std::string later = Later();
  Watch();
  for (const char* name :
       {"segment-000001.mdb", "MANIFEST.000001", "MANIFEST"}) {
    CopyIn(later, name);
  }
  Await([&] { return !ServesTheFirst(); });
}

TEST_F(GenerationWatchTest, WhatIsAppendedInPlaceIsServed) {
  Watch();
  store::WriterOptions options;
  options.append = true;
  for (uint64_t generation = 2; generation < 5; ++generation) {
    store::MustWrite(path_, store::SampleDrawings(10), options);
    Await([&] { return Newest()->info().generation == generation; });
  }
}

TEST_F(GenerationWatchTest, GenerationsBetweenMayBeMissed) {
  const std::string later = Later(10);
  store::WriterOptions options;
  options.append = true;
  store::MustWrite(later, store::SampleDrawings(10), options);
  Watch();
  Replace(later);
  Await([&] { return Newest()->info().generation == 3; });
}

TEST_F(GenerationWatchTest, AnotherDatasetIsNoGeneration) {
  store::WriterOptions options;
  options.name = "other";
  const std::string other = scratch_.File("other.ink");
  store::MustWrite(other, store::SampleDrawings(kDrawings), options);
  options.append = true;
  store::MustWrite(other, store::SampleDrawings(7), options);
  Watch();
  Replace(other);
  Await([&] { return Refused(); });
  EXPECT_TRUE(ServesTheFirst());
}

TEST_F(GenerationWatchTest, OtherDrawingsOfTheSameNameAndGenerationAreNone) {
  const std::string other = scratch_.File("other.ink");
  store::MustWrite(other, store::SampleDrawings(7));
  Watch();
  Replace(other);
  Await([&] { return Refused(); });
  EXPECT_TRUE(ServesTheFirst());
  // The way back.
  fs::remove_all(path_);
  fs::rename(scratch_.File("away"), path_);
  Await([&] { return !Refused(); });
}

TEST_F(GenerationWatchTest, AnEarlierGenerationIsNone) {
  store::WriterOptions options;
  options.append = true;
  store::MustWrite(path_, store::SampleDrawings(10), options);
  store_ = store::MustOpen(path_);
  ASSERT_TRUE(engine_->AddGeneration("served", store_).ok());
  const std::string later = Later();
  Watch();
  CopyIn(later, "MANIFEST.000002");  // the one that is served
  fs::rename(path_ + "/MANIFEST.000001", path_ + "/MANIFEST");
  Await([&] { return Refused(); });
  EXPECT_TRUE(ServesTheFirst());
}

TEST_F(GenerationWatchTest, AHigherGenerationOfOtherDrawingsIsNone) {
  const std::string other = scratch_.File("other.ink");
  store::MustWrite(other, store::SampleDrawings(7));
  store::WriterOptions options;
  options.append = true;
  store::MustWrite(other, store::SampleDrawings(kDrawings), options);
  Watch();
  Replace(other);
  Await([&] { return Refused(); });
  EXPECT_TRUE(ServesTheFirst());
}

TEST_F(GenerationWatchTest, TheSameContentIsNothingNew) {
  const std::string copy = scratch_.File("copy.ink");
  const std::string second = scratch_.File("second.ink");
  fs::copy(path_, copy, fs::copy_options::recursive);
  fs::copy(path_, second, fs::copy_options::recursive);
  ASSERT_TRUE(engine_->AddDataset("tail", store::MustOpen(second)).ok());
  const auto served = Newest();
  watch_.emplace(
      engine_.get(),
      std::vector<GenerationWatch::Served>{
          {"served", path_, GenerationWatch::IdentityOf(path_), store_},
          {"tail", second, GenerationWatch::IdentityOf(second), store_}},
      store::OpenOptions(), std::chrono::hours(1),
      [this](const std::string&, const GenerationWatch::State& how) {
        refused_ = refused_ || how.successor_refused;
      });
  Replace(copy);
  store::WriterOptions options;
  options.append = true;
  store::MustWrite(second, store::SampleDrawings(1), options);
  watch_->LookNow(milliseconds(0));
  // It is looked at behind the one in question.
  Await([&] { return Newest("tail")->size() == kDrawings + 1; });
  EXPECT_EQ(Newest(), served);
  EXPECT_FALSE(Refused());
}

TEST_F(GenerationWatchTest, AFifoInPlaceOfTheManifestHoldsNothingUp) {
  Watch();
  fs::remove(path_ + "/MANIFEST");
  ASSERT_EQ(mkfifo((path_ + "/MANIFEST").c_str(), 0600), 0);
  Await([&] { return Refused(); });
  watch_.reset();
  EXPECT_TRUE(ServesTheFirst());
}

TEST_F(GenerationWatchTest, AFileThatIsCutIsToldAndTakenUpAgainWhenItIsWhole) {
  const std::string segment = path_ + "/segment-000000.mdb";
  const std::string kept = scratch_.File("kept");
  fs::copy_file(segment, kept);
  Watch();
  fs::resize_file(segment, 5000);
  Await([&] { return lost_.load(); });
  const absl::Status refused = engine_->Describe("served", View()).status();
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_THAT(
      refused.message(),
      ::testing::AllOf(HasSubstr("segment-000000.mdb"),
                       HasSubstr("has 5000 now"), HasSubstr("truncated")));
  fs::rename(kept, segment);
  Await([&] { return !lost_.load(); });
  EXPECT_TRUE(ServesTheFirst());
}

TEST_F(GenerationWatchTest, AnOlderOneInUseIsToldAndTakenUpAgainToo) {
  const std::string segment = path_ + "/segment-000000.mdb";
  const std::string kept = scratch_.File("kept");
  fs::copy_file(segment, kept);
  ASSERT_TRUE(
      engine_->UseGenerations({{"served", store_->info().fingerprint}}).ok());
  Watch();
  store::WriterOptions options;
  options.append = true;
  store::MustWrite(path_, store::SampleDrawings(10), options);
  watch_->LookNow(std::chrono::minutes(1));
  EXPECT_TRUE(ServesTheFirst());
  fs::resize_file(segment, 5000);
  Await([&] { return lost_.load(); });
  fs::rename(kept, segment);
  Await([&] { return !lost_.load(); });
  EXPECT_TRUE(ServesTheFirst());
  ASSERT_TRUE(engine_->UseGenerations({}).ok());
  EXPECT_EQ(Newest()->info().generation, 2U);
}

TEST_F(GenerationWatchTest, AskedToLookItWaitsForNoPause) {
  Watch(std::chrono::hours(1));
  const std::string later = Later();
  CopyIn(later, "MANIFEST");
  watch_->LookNow(milliseconds(0));
  Await([&] { return Refused(); });
  CopyIn(later, "MANIFEST.000001");
  CopyIn(later, "segment-000001.mdb");
  watch_->LookNow(milliseconds(0));
  Await([&] { return !ServesTheFirst(); });
}

}  // namespace
}  // namespace inkstream::app
