// What the end of a job holds in memory, however long the store: columns and
// blocks that it reads pass through.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using testing::ScratchDirectory;

constexpr uint64_t kMebibyte = uint64_t{1} << 20;
constexpr uint64_t kKeyMemory = 4 * kMebibyte;
struct Job {
  uint64_t drawings = 0;
  size_t points = 0;  // of each drawing
  uint64_t segment_drawings = 0;
  uint64_t repeats = 0;  // index of a drawing with the key of the one before
};

constexpr bool Sanitized() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

// The most memory that this process had at once, in bytes.
uint64_t HighWater() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
    }
  }
  return 0;
}

// By how much Finish raised the high water, in bytes, at least 1; 0: something
// failed.
uint64_t RaisedByFinish(const std::string& path, const Job& job) {
  WriterOptions options;
  options.memory_bytes = kKeyMemory;
  options.segment_drawings = job.segment_drawings;
  options.duplicates = Duplicates::kFirst;
  options.threads = 2;
  auto writer = StoreWriter::Create(path, options);
  if (!writer.ok()) return 0;
  std::vector<float> noise(job.points + 256);
  for (size_t n = 0; n < noise.size(); ++n) {
    noise[n] = static_cast<float>(n * n * 2654435761U >> 16U & 255U);
  }
  for (uint64_t i = 0; i < job.drawings;) {
    PackedDrawings some;
    for (int k = 0; k < 1024 && i < job.drawings; ++k, ++i) {
      const auto x = noise.begin() + static_cast<ptrdiff_t>(i % 256);
      const auto y = noise.begin() + static_cast<ptrdiff_t>(i / 256 % 256);
      const auto points = static_cast<ptrdiff_t>(job.points);
      Drawing drawing = OneStroke({x, x + points}, {y, y + points});
      const uint64_t id = i == job.repeats && i > 0 ? i - 1 : i;
      drawing.key_id = static_cast<int64_t>(id * 0x9e3779b97f4a7c15ULL);
      some.Add(drawing);
    }
    if (!(*writer)->Append(std::move(some)).ok()) return 0;
  }
  const uint64_t before = HighWater();
  if (!(*writer)->Finish().ok()) return 0;
  return std::max<uint64_t>(1, HighWater() - before);
}

// In a process of its own, which no other test has widened.
uint64_t InChild(const std::function<uint64_t()>& work) {
  int ends[2];
  if (pipe(ends) != 0) return 0;
  const pid_t child = fork();
  if (child == 0) {
    const uint64_t answer = work();
    _exit(write(ends[1], &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1);
  }
  close(ends[1]);
  uint64_t answer = 0;
  if (child < 0 || read(ends[0], &answer, sizeof(answer)) != sizeof(answer)) {
    answer = 0;
  }
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  return answer;
}

TEST(FinishMemory, LookingForRepeatedKeysHoldsNoColumnsOfTheStore) {
  if (Sanitized()) GTEST_SKIP() << "sanitizers hold memory of their own";
  const ScratchDirectory scratch;
  const std::string path = scratch.File("a.ink");
  // 24 MB of keys, in segments of 2 MB.
  const Job job = {3'000'000, 2, 250'000, 0};
  const uint64_t raised = InChild([&] { return RaisedByFinish(path, job); });
  ASSERT_GT(raised, 0) << "the store was not written";
  EXPECT_LT(raised, 16 * kMebibyte);
}

TEST(FinishMemory, FoldingAgainBehindADroppedDrawingHoldsNoBlocksOfTheStore) {
  if (Sanitized()) GTEST_SKIP() << "sanitizers hold memory of their own";
  const ScratchDirectory scratch;
  const std::string path = scratch.File("a.ink");
  // 100 MB of blocks, of which some 20 MB pass before they are let go.
  const Job job = {800'000, 100, 0, 1};
  const uint64_t raised = InChild([&] { return RaisedByFinish(path, job); });
  ASSERT_GT(raised, 0) << "the store was not written";
  EXPECT_LT(raised, 48 * kMebibyte);
  EXPECT_EQ(MustOpen(path)->size(), job.drawings - 1);
}

}  // namespace
}  // namespace inkstream::store
