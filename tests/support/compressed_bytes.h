// Bytes as gzip and zstd, for tests of what reads them.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace inkstream::testing {

std::string Gzip(absl::string_view bytes);
// `window_log`: of the frame; 0 lets zstd choose.
std::string Zstd(absl::string_view bytes, int window_log = 0);
// The whole of a .gz file's content; "" where it cannot be read.
std::string ReadGzipFile(const std::string& path);

}  // namespace inkstream::testing
