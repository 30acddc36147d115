// Bytes into a file as they are.
#pragma once

#include <memory>
#include <string>

#include "server/ingest/export/byte_sink.h"

namespace inkstream::ingest {

absl::StatusOr<std::unique_ptr<ByteSink>> OpenFileSink(const std::string& path);

}  // namespace inkstream::ingest
