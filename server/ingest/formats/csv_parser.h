// Rows of Kaggle's CSV -> drawings.
//
// Thread safety: one parser a thread.
#pragma once

#include <memory>

#include "server/ingest/formats/drawing_format.h"

namespace inkstream::ingest {

std::unique_ptr<RecordParser> NewCsvParser(const ParserOptions& options);

}  // namespace inkstream::ingest
