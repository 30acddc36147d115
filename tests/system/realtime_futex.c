// Waits on futexes until moments of the wall clock as libfaketime sets it.
//
// Debian's libfaketime fakes the clock but not system calls, and Abseil, which
// gRPC waits with, makes them itself: after a jump back each wait of it would
// end at once, and it would spin. With a kernel whose clock jumps, a wait ends
// when the clock shows its moment, however the clock came there. So a wait here
// is cut into short ones, and the clock is looked at between them.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>

static const long kSliceNanoseconds = 20 * 1000 * 1000;

typedef long (*Syscall)(long, ...);

static long Kernel(long number, const long* a) {
  const Syscall next = (Syscall)dlsym(RTLD_NEXT, "syscall");
  return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

long syscall(long number, ...) {
  long a[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; ++i) a[i] = va_arg(list, long);
  va_end(list);
  const long op = a[1];
  const struct timespec* until = (const struct timespec*)a[3];
  if (number != SYS_futex || (op & FUTEX_CMD_MASK) != FUTEX_WAIT_BITSET ||
      (op & FUTEX_CLOCK_REALTIME) == 0 || until == 0) {
    return Kernel(number, a);
  }
  a[1] =
      op &
      ~FUTEX_CLOCK_REALTIME;  // The slices are of the clock that nobody sets.
  for (;;) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec > until->tv_sec ||
        (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec)) {
      errno = ETIMEDOUT;
      return -1;
    }
    const double left = (double)(until->tv_sec - now.tv_sec) * 1e9 +
                        (double)(until->tv_nsec - now.tv_nsec);
    struct timespec slice;
    clock_gettime(CLOCK_MONOTONIC, &slice);
    slice.tv_nsec +=
        left < kSliceNanoseconds ? (long)left + 1 : kSliceNanoseconds;
    slice.tv_sec += slice.tv_nsec / 1000000000;
    slice.tv_nsec %= 1000000000;
    a[3] = (long)&slice;
    const long result = Kernel(number, a);
    if (result != -1 || errno != ETIMEDOUT) return result;
  }
}
