// Drawings as rows of Kaggle's CSV (csv_format.h).
//
// Thread safety: pure function.
#pragma once

#include <string>

#include "inkstream/drawing.h"

namespace inkstream::ingest {

inline constexpr char kCsvHeader[] =
    "countrycode,drawing,key_id,recognized,timestamp,word\n";

// Appends one row with its line end. A missing column is an empty field. Times
// have six digits of fraction, whatever the source wrote.
void AppendCsvRow(const Drawing& drawing, std::string* out);

}  // namespace inkstream::ingest
