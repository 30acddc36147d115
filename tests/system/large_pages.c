// A machine whose memory has pages of 16 KiB, as far as a program that asks for
// their size can tell: LMDB makes its files of such pages then.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

static const long kPageBytes = 16384;

long sysconf(int name) {
  typedef long (*Sysconf)(int);
  const Sysconf next = (Sysconf)dlsym(RTLD_NEXT, "sysconf");
  return name == _SC_PAGESIZE ? kPageBytes : next(name);
}

int getpagesize(void) { return (int)kPageBytes; }
