#include "server/store/segment/checksum.h"

#include <xxhash.h>

#include "server/store/format.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::store {

uint64_t Checksum(absl::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

void AppendChecksum(std::string* value) {
  AppendLittle<uint64_t>(Checksum(*value), value);
}

bool ChecksumHolds(absl::string_view value) {
  if (value.size() < kChecksumBytes) return false;
  const size_t body = value.size() - kChecksumBytes;
  return Checksum(value.substr(0, body)) ==
         LoadLittle<uint64_t>(value.data() + body);
}

}  // namespace inkstream::store
