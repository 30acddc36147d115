// Any bytes as a compressed input: what comes out is bounded, an end is an end,
// and the size of reads does not matter. The first byte chooses gzip or zstd.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "server/ingest/input/byte_source.h"

namespace inkstream::ingest {
namespace {

// A bomb need not be blown up whole.
constexpr size_t kEnough = size_t{4} << 20U;

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz_source: %s\n", what);
  std::abort();
}

class BytesSource : public ByteSource {
 public:
  explicit BytesSource(absl::string_view bytes) : bytes_(bytes) {}
  absl::StatusOr<size_t> Read(char* out, size_t capacity) override {
    const size_t count = std::min(capacity, bytes_.size());
    if (count == 0) return size_t{0};
    std::memcpy(out, bytes_.data(), count);
    bytes_.remove_prefix(count);
    return count;
  }
  uint64_t consumed() const override { return 0; }

 private:
  absl::string_view bytes_;
};

std::string ReadAll(bool gzip, absl::string_view bytes, size_t piece) {
  std::unique_ptr<ByteSource> source = std::make_unique<BytesSource>(bytes);
  if (gzip) {
    source = NewGzipSource(std::move(source), "input");
  } else {
    source = NewZstdSource(std::move(source), "input");
  }
  std::string out;
  std::string buffer(piece, '\0');
  while (out.size() < kEnough) {
    const absl::StatusOr<size_t> got = source->Read(buffer.data(), piece);
    if (!got.ok()) {
      Require(absl::StrContains(got.status().message(), "input"),
              "an error that does not name its input");
      break;
    }
    Require(*got <= piece, "more than was asked for");
    if (*got == 0) break;
    out.append(buffer, 0, *got);
  }
  return out;
}

}  // namespace
}  // namespace inkstream::ingest

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using inkstream::ingest::ReadAll;
  if (size == 0) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data) + 1,
                                size - 1);
  const bool gzip = data[0] % 2 == 0;
  const std::string whole = ReadAll(gzip, bytes, size_t{1} << 16U);
  const std::string pieces = ReadAll(gzip, bytes, 61);
  const size_t common = std::min(whole.size(), pieces.size());
  // How much comes out before damage is met depends on the reads; what does
  // not.
  inkstream::ingest::Require(whole.compare(0, common, pieces, 0, common) == 0,
                             "the size of reads matters");
  return 0;
}
