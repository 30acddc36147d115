// One event in the log, with what it is about by name:
//
//   stream opened: stream=7 peer=ipv4:10.0.0.9:4711 dataset=quickdraw
//   {…, "event": "stream opened", "stream": 7, "peer": "ipv4:10.0.0.9:4711", …}
//
// Thread safety: an event is one thread's; Log() may be called on any.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace inkstream::app {

class LogEvent {
 public:
  explicit LogEvent(absl::string_view event);

  // Text may be anybody's; it is cut after a thousand characters.
  LogEvent& Add(absl::string_view name, absl::string_view text);
  LogEvent& Add(absl::string_view name, uint64_t number);
  LogEvent& Add(absl::string_view name, double number);  // to three digits

  void Log(bool warning = false) const;

 private:
  void Begin(absl::string_view name);

  const bool json_;
  std::string members_;
};

}  // namespace inkstream::app
