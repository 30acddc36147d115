// What a server says of a dataset: everything a client needs to build plans.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/tensor.h"

namespace inkstream {

struct DatasetInfo {
  struct Split {
    std::string name;
    uint64_t drawings = 0;
    std::string rule;  // how a drawing gets here, for people
    // Standard deviation of the offsets between points, in units of the
    // canvas; 0: not known.
    double delta_std = 0;
  };
  struct ClassCount {
    std::string word;
    uint64_t drawings = 0;
  };
  struct Column {
    std::string name;
    DType dtype = DType::kUnspecified;
    uint64_t present = 0;  // drawings that have it
    std::string description;
  };
  // What a plan is checked against; 0: the server named none.
  struct Limits {
    uint32_t max_image_side = 0;     // pixels
    uint32_t max_batch_size = 0;     // drawings
    uint64_t max_batch_bytes = 0;    // bytes
    uint32_t max_stroke_len = 0;     // points a drawing
    uint32_t max_views = 0;          // copies of a drawing
    uint32_t max_fetch_indices = 0;  // drawings a Fetch
    uint32_t max_credits = 0;        // batches ahead
    uint32_t max_world = 0;          // ranks
    uint32_t max_streams = 0;        // open at once
    uint32_t max_streams_per_connection = 0;
    uint32_t max_request_bytes = 0;
    uint64_t max_keys = 0;      // of one uploaded set
    uint64_t max_weights = 0;   // of one uploaded set of weights
    uint64_t memory_bytes = 0;  // the server's budget
  };

  std::string dataset;      // served name
  std::string fingerprint;  // of the content, hex
  uint64_t generation = 0;
  uint64_t drawings = 0;       // in the store
  uint64_t view_drawings = 0;  // in the view asked for
  std::vector<Split> splits;
  std::vector<ClassCount> classes;  // label order; counts of the view
  std::vector<Column> columns;
  uint32_t raster_version = 0;
  std::vector<std::string> tensors;   // kinds offered: image, strokes
  std::vector<DType> image_dtypes;    // offered
  std::vector<std::string> channels;  // of images, offered
  Limits limits;
  std::string server_version;
  // Window to shuffle in, in drawings; 0: the store stays in the server's
  // memory, so shuffle all of it.
  uint64_t recommended_window = 0;
};

}  // namespace inkstream
