// Google's drawings and bitmaps, where a copy lies beside the repository.
//
// Thread safety: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/drawing.h"

namespace inkstream::testing {

struct PublishedDrawing {
  Drawing drawing;
  std::vector<uint8_t> bitmap28;  // 784 bytes, or empty in files without
};

// <repository>/../shared/data/<name>; "" if there is no such file.
std::string QuickDrawFile(const std::string& name);

// The first `most` lines of a gzipped simplified NDJSON file. Throws
// std::runtime_error where the file cannot be read.
std::vector<PublishedDrawing> ReadPublishedDrawings(const std::string& path,
                                                    size_t most = SIZE_MAX);

}  // namespace inkstream::testing
