#include "server/app/log/log_event.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/app/log/logging.h"
#include "server/base/json_text.h"

namespace inkstream::app {
namespace {

constexpr size_t kMaxText = 1000;

bool NeedsQuotes(absl::string_view text) {
  return text.empty() || std::any_of(text.begin(), text.end(), [](char c) {
           return c == '"' || c == '=' || c == '\\' ||
                  !absl::ascii_isgraph(static_cast<unsigned char>(c));
         });
}

}  // namespace

LogEvent::LogEvent(absl::string_view event) : json_(LogsJson()) {
  if (json_) {
    members_ = R"("event": )";
    AppendJsonString(event, &members_);
  } else {
    members_ = absl::StrCat(event, ":");
  }
}

void LogEvent::Begin(absl::string_view name) {
  if (json_) {
    absl::StrAppend(&members_, R"(, ")", name, R"(": )");
  } else {
    absl::StrAppend(&members_, " ", name, "=");
  }
}

LogEvent& LogEvent::Add(absl::string_view name, absl::string_view text) {
  Begin(name);
  text = text.substr(0, kMaxText);
  if (json_ || NeedsQuotes(text)) {
    AppendJsonString(text, &members_);
  } else {
    absl::StrAppend(&members_, text);
  }
  return *this;
}

LogEvent& LogEvent::Add(absl::string_view name, uint64_t number) {
  Begin(name);
  absl::StrAppend(&members_, number);
  return *this;
}

LogEvent& LogEvent::Add(absl::string_view name, double number) {
  Begin(name);
  members_ += absl::StrFormat("%.3f", number);
  return *this;
}

void LogEvent::Log(bool warning) const { LogMembers(members_, warning); }

}  // namespace inkstream::app
