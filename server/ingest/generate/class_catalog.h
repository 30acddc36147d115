// The classes that can be generated.
//
// Thread safety: constant data; a Draw function writes only to its pen.
#pragma once

#include "absl/types/span.h"
#include "server/ingest/generate/pen.h"

namespace inkstream::ingest {

struct DrawingClass {
  const char* word;  // one of Quick, Draw!'s own
  void (*draw)(Pen& pen);
};

// In the order in which `--classes K` takes them. Append only: the order is
// part of what a seed gives.
absl::Span<const DrawingClass> ClassCatalog();

}  // namespace inkstream::ingest
