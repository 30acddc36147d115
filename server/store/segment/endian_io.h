// Little- and big-endian loads and stores at any address.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"

namespace inkstream::store {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "stores are read in place: only little-endian machines");

template <typename T>
inline T LoadLittle(const void* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

inline uint64_t LoadBig64(const void* at) {
  return __builtin_bswap64(LoadLittle<uint64_t>(at));
}

template <typename T>
inline void AppendLittle(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(T));
}

// Takes little-endian values off the front of a buffer. After a read beyond
// the end, ok() is false and every value is zero.
class LittleReader {
 public:
  explicit LittleReader(absl::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Read() {
    absl::string_view raw = ReadBytes(sizeof(T));
    return raw.empty() ? T{} : LoadLittle<T>(raw.data());
  }

  absl::string_view ReadBytes(uint64_t count) {
    if (count > bytes_.size()) {
      ok_ = false;
      bytes_ = absl::string_view();
      return absl::string_view();
    }
    absl::string_view result = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return result;
  }

  bool ok() const { return ok_; }
  bool done() const { return ok_ && bytes_.empty(); }
  size_t remaining() const { return bytes_.size(); }

 private:
  absl::string_view bytes_;
  bool ok_ = true;
};

}  // namespace inkstream::store
