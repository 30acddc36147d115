// What a stream tells: values of the engine -> messages.
//
// Thread safety: pure functions.
#pragma once

#include <inkstream/v1/batch.pb.h>

#include "server/batch/batch_stream.h"
#include "server/batch/job/finished_batch.h"

namespace inkstream::service {

// Without what only a transport knows.
v1::StreamOpened OpenedOf(const batch::StreamFacts& facts);

// `facts`: of the batch's stream. Without what only a transport knows.
v1::BatchHeader HeaderOf(const batch::StreamFacts& facts,
                         const batch::FinishedBatch& batch);

v1::StreamEnd EndOf(const batch::StreamFacts& facts, const batch::Ended& end);

}  // namespace inkstream::service
