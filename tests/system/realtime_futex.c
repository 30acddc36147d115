// Waits on futexes until moments of the wall clock as libfaketime sets it.
//
// Debian's libfaketime fakes the clock but not system calls, and Abseil, which
// gRPC waits with, makes them itself: after a jump back each wait of it would
// end at once, and it would spin. With a kernel whose clock jumps, a wait ends
// when the clock shows its moment, however the clock came there. So a wait here
// is cut into short ones, and the clock is looked at between them.

#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>

static const long kSliceNanoseconds = 20 * 1000 * 1000;

static long Kernel(long number, const long* a) {
  register long r10 __asm__("r10") = a[3];
  register long r8 __asm__("r8") = a[4];
  register long r9 __asm__("r9") = a[5];
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10),
                     "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static long Answer(long result) {
  if (result >= 0 || result < -4095) return result;
  errno = (int)-result;
  return -1;
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
    return Answer(Kernel(number, a));
  }
  a[1] =
      op &
      ~FUTEX_CLOCK_REALTIME;  // The slices are of the clock that nobody sets.
  for (;;) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec > until->tv_sec ||
        (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec)) {
      return Answer(-ETIMEDOUT);
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
    if (result != -ETIMEDOUT) return Answer(result);
  }
}
