// What the C interface's events are made of.
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "client/cpp/batch/received_batch.h"
#include "inkstream/inkstream.h"

struct ik_buffer {
  std::shared_ptr<const uint8_t> bytes;
};

namespace inkstream::client {

// What the events of one call refer to. A batch whose header says what that of
// the batch before did comes without it.
//
// Thread safety: none; an event is valid until the next Set().
class EventTexts {
 public:
  void Set(const google::protobuf::MessageLite& told, ik_event* event);
  void Set(ReceivedBatch* batch, ik_event* event);  // takes its bytes
  void Set(const absl::Status& status, uint32_t origin, ik_event* event);

 private:
  std::string header_;
  std::unique_ptr<v1::BatchHeader> last_;  // batch's
  std::string message_;
  std::string details_;
};

}  // namespace inkstream::client
