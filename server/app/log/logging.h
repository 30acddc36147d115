// The log, on standard error; standard output belongs to answers.
//
// A command writes each line at once. A server must not wait for whoever reads
// its log: after LogInBackground() lines go to a thread of their own through a
// bounded queue, the oldest give way, and what is lost is counted.
//
// A line of the log is one line, whatever is in it: control characters, which
// may be a peer's, are escaped in both formats.
//
// Thread safety: SetLogFormat and LogInBackground from the main thread, before
// others log; the rest from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace inkstream::app {

void SetUpLogging();

// debug, info, warn or error.
void SetLogLevel(const std::string& level);

// text or json: one object a line with time, level and message, or with what an
// event is about in place of the message.
void SetLogFormat(const std::string& format);
bool LogsJson();

// From now on logging never blocks. For the rest of the process.
void LogInBackground();

// Waits until everything logged so far is written, `timeout` at most.
void FlushLog(std::chrono::milliseconds timeout);

// Lines that gave way to newer ones or could not be written.
uint64_t LostLogLines();

// Logs `members`, which LogEvent wrote in the log's format.
void LogMembers(const std::string& members, bool warning);

}  // namespace inkstream::app
