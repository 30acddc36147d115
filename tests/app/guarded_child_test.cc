#include "server/app/serve/guarded_child.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::app {
namespace {

using ::testing::HasSubstr;
using testing::ScratchDirectory;

constexpr uint64_t kMemory = uint64_t{256} << 20;
constexpr size_t kPage = 4096;

TEST(GuardedChild, TheWorksExitCodeIsPassedOn) {
  for (const int code : {0, 1, 2}) {
    const ChildEnd end = RunInChild(kMemory, [&] { return code; });
    EXPECT_EQ(end.exit_code, code);
    EXPECT_EQ(end.death, "");
  }
}

TEST(GuardedChild, AFileThatShrinksUnderItsMapEndsOnlyTheChild) {
  const ScratchDirectory scratch;
  const std::string path = scratch.Write("mapped", std::string(4 * kPage, 'x'));
  const ChildEnd end = RunInChild(kMemory, [&] {
    const int fd = open(path.c_str(), O_RDONLY);
    const auto* map = static_cast<const volatile char*>(
        mmap(nullptr, 4 * kPage, PROT_READ, MAP_SHARED, fd, 0));
    if (truncate(path.c_str(), kPage) != 0) return 3;
    return static_cast<int>(map[3 * kPage]);
  });
  EXPECT_THAT(end.death, HasSubstr("SIGBUS"));
}

TEST(GuardedChild, MoreMemoryThanAllowedIsItsDeathAndNamesTheLimit) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer's shadow memory fits into no limit";
#endif
  const ChildEnd end = RunInChild(kMemory, [] {
    std::vector<std::string> held;
    for (int i = 0; i < 64; ++i) held.emplace_back(size_t{16} << 20, 'x');
    return static_cast<int>(held.size());
  });
  EXPECT_THAT(end.death, HasSubstr("256 MiB"));
  EXPECT_THAT(end.death, HasSubstr("--memory-mib"));
}

TEST(GuardedChild, AnAbortIsNamed) {
  const ChildEnd end = RunInChild(kMemory, []() -> int { abort(); });
  EXPECT_THAT(end.death, HasSubstr("SIGABRT"));
}

}  // namespace
}  // namespace inkstream::app
