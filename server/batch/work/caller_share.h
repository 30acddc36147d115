// How much of what is limited in all one caller may have: seven eighths of the
// streams, and of the requests that wait. Else one peer that opens what it
// never uses would keep every newcomer out, while nothing tells it from a busy
// host with many ranks; and behind a proxy all of them are one caller.
#pragma once

namespace inkstream::batch {

template <typename Amount>
constexpr Amount CallerShare(Amount all) {
  return all - all / 8;
}

}  // namespace inkstream::batch
