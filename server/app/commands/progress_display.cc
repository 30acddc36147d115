#include "server/app/commands/progress_display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace inkstream::app {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kPlainLine{5};
constexpr int kBarCells = 16;
constexpr int kUsualWidth = 80;

int TerminalWidth() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return kUsualWidth;
  }
  return size.ws_col - 1;
}

std::string Duration(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds + 0.5);
  if (whole >= 3600) {
    return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60,
                           whole % 60);
  }
  return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
}

}  // namespace

std::string WithThousands(uint64_t number) {
  std::string text = absl::StrCat(number);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string ProgressLine(const std::string& label, const ProgressState& state,
                         double seconds, int width) {
  std::string line = label;
  const double part = state.total == 0
                          ? 0
                          : std::min(1.0, static_cast<double>(state.done) /
                                              static_cast<double>(state.total));
  if (state.total > 0) {
    const int filled = static_cast<int>(part * kBarCells);
    absl::StrAppend(&line, " [", std::string(filled, '#'),
                    std::string(kBarCells - filled, '-'), "] ",
                    static_cast<int>(part * 100), "%");
  }
  absl::StrAppend(&line, " ", WithThousands(state.drawings), " drawings");
  if (seconds > 0) {
    absl::StrAppend(&line, ", ",
                    WithThousands(static_cast<uint64_t>(
                        static_cast<double>(state.drawings) / seconds)),
                    "/s");
  }
  if (state.bytes) {
    absl::StrAppendFormat(&line, ", %d", state.done >> 20U);
    if (state.total > 0)
      absl::StrAppendFormat(&line, "/%d", state.total >> 20U);
    absl::StrAppend(&line, " MiB");
  }
  if (part > 0) {
    absl::StrAppend(&line, ", ", Duration(seconds * (1 - part) / part),
                    " left");
  }
  if (line.size() > static_cast<size_t>(width)) line.resize(width);
  return line;
}

ProgressDisplay::ProgressDisplay(std::string label)
    : label_(std::move(label)),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      drawn_(start_) {}

ProgressDisplay::~ProgressDisplay() { Clear(); }

double ProgressDisplay::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void ProgressDisplay::Update(const ProgressState& state) {
  const Clock::time_point now = Clock::now();
  if (now - drawn_ <
      (terminal_ ? Clock::duration(kRedraw) : Clock::duration(kPlainLine))) {
    return;
  }
  drawn_ = now;
  const std::string line =
      ProgressLine(label_, state, seconds(), terminal_ ? TerminalWidth() : 200);
  if (terminal_) {
    std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
    visible_ = true;
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
}

void ProgressDisplay::Clear() {
  if (!visible_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  visible_ = false;
}

}  // namespace inkstream::app
