// What one of several ingests reads of inputs that they share.
//
// Thread safety: functions of the file system.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/ingest/input/input_format.h"
#include "server/ingest/input/input_list.h"

namespace inkstream::ingest {

struct Shard {
  uint64_t number = 0;  // from 0
  uint64_t of = 1;
};

// "I/N" with 0 <= I < N, as Kubernetes counts the pods of an indexed Job.
// INVALID_ARGUMENT: anything else.
absl::StatusOr<Shard> ParseShard(absl::string_view text);

// The shard's run of the inputs: bytes as they are on disk, cut at line ends in
// plain NDJSON; other inputs go whole to the shard that their first byte is in.
// Shards 0..N-1 one after another are the inputs, in order. INVALID_ARGUMENT:
// an input has no size (a pipe).
absl::StatusOr<std::vector<InputFile>> ShardInputs(
    const std::vector<InputFile>& inputs, const Shard& shard,
    InputFormat format);

// The number of the line that begins at `offset` of a plain file.
absl::StatusOr<uint64_t> LineAt(const std::string& path, uint64_t offset);

}  // namespace inkstream::ingest
