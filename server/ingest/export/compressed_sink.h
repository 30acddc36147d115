// Compresses into another sink.
#pragma once

#include <memory>

#include "server/ingest/export/byte_sink.h"

namespace inkstream::ingest {

std::unique_ptr<ByteSink> NewGzipSink(std::unique_ptr<ByteSink> file);
std::unique_ptr<ByteSink> NewZstdSink(std::unique_ptr<ByteSink> file);

}  // namespace inkstream::ingest
