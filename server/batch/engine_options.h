// What an engine is made with, and what it tells.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "inkstream/drawing.h"
#include "server/batch/work/lru_map.h"
#include "server/batch/work/worker_pool.h"
#include "server/layout/batch_layout.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

// Every limit a request is checked against; all of them are in
// DescribeDataset.
struct Limits : layout::BatchLimits {
  uint32_t max_fetch_indices = 4096;  // drawings a FetchDrawings
  uint32_t max_credits = 8;           // batches ahead of a client
  uint32_t max_streams = 1024;        // open at once
  uint32_t max_world = 65536;         // ranks
};

struct EngineOptions {
  Limits limits;
  int workers = 0;            // threads that lay out batches; 0: one a core
  uint64_t batch_memory = 0;  // bytes of batches in flight; 0: 25 % of memory
  uint64_t view_memory = 0;   // bytes of kept views; 0: 5 % of memory
  // Of a dataset, the newest and the one in use included.
  uint32_t retain_generations = 2;
  // Lays out the batches, in place of a pool of its own, and is not stopped
  // with the engine.
  std::shared_ptr<WorkerPool> pool;
};

// Bytes of what is kept between requests.
struct CacheUse {
  uint64_t view_budget = 0;
  uint64_t view_bytes = 0;
  uint64_t key_budget = 0;  // part of view_budget
  uint64_t key_bytes = 0;
  Lookups views;
  Lookups keys;
};

// What a dataset's requests get that name no generation.
struct ServedStore {
  std::string dataset;
  std::shared_ptr<const store::StoreReader> store;
  // Why it cannot be read at this moment: files are lost, or their disk does
  // not answer. "": it can, as far as is known.
  std::string problem;
};

struct DatasetFacts {
  std::string dataset;  // served name
  std::shared_ptr<const store::StoreReader> store;
  uint64_t view_size = 0;
  std::vector<std::string> classes;    // of the view, label order
  std::vector<uint64_t> class_counts;  // of the view
};

// One drawing with what a person wants to know of it.
struct InspectedDrawing {
  uint64_t index = 0;
  int32_t label = -1;
  std::string split;  // the first that holds it
  Drawing drawing;
};

}  // namespace inkstream::batch
