/*
 * failing-calls: LD_PRELOAD library that has the n-th call of one kind on files of one directory fail.
 *
 *   FAIL_DIR    absolute path; other files are left alone
 *   FAIL_CALL   write, sync, open, truncate, link or unlink
 *   FAIL_NTH    which of them, from 1
 *   FAIL_ERRNO  a number
 *   FAIL_MODE   once, sticky; or short: half of the write is done, and the rest of it fails
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int calls;
static _Atomic int rest_of = -1;

static const char *env(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

static int is_ours(const char *path) {
  const char *dir = env("FAIL_DIR");
  return *dir && strncmp(path, dir, strlen(dir)) == 0 && path[strlen(dir)] == '/';
}

static int is_our_fd(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return is_ours(path);
}

/* Whether this call is to fail; errno is set then. */
static int fails(const char *call) {
  if (strcmp(env("FAIL_CALL"), call)) return 0;
  int n = atomic_fetch_add(&calls, 1) + 1, nth = atoi(env("FAIL_NTH"));
  int sticky = !strcmp(env("FAIL_MODE"), "sticky");
  if (n != nth && !(sticky && n > nth)) return 0;
  errno = atoi(env("FAIL_ERRNO"));
  return 1;
}

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* The rest of a short write fails: libuv asks for it, and drops the errno. */
static int write_fails(int fd, int *is_short) {
  if (!is_our_fd(fd)) return 0;
  if (atomic_load(&rest_of) == fd) {
    atomic_store(&rest_of, -1);
    errno = atoi(env("FAIL_ERRNO"));
    return 1;
  }
  if (!fails("write")) return 0;
  if (strcmp(env("FAIL_MODE"), "short")) return 1;
  *is_short = 1;
  return 0;
}

static ssize_t do_pwrite(int fd, const void *b, size_t n, off64_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  int is_short = 0;
  if (write_fails(fd, &is_short)) return -1;
  if (!is_short || n < 2) return real(fd, b, n, at);
  atomic_store(&rest_of, fd);
  return real(fd, b, n > 1024 ? n / 1024 * 512 : n / 2, at);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) { return do_pwrite(fd, b, n, at); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { return do_pwrite(fd, b, n, at); }

static ssize_t do_pwritev(int fd, const struct iovec *v, int n, off64_t at) {
  REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t);
  int is_short = 0;
  if (write_fails(fd, &is_short)) return -1;
  if (!is_short) return real(fd, v, n, at);
  struct iovec half = {v[0].iov_base, (v[0].iov_len + 1) / 2};
  atomic_store(&rest_of, fd);
  return real(fd, &half, 1, at);
}
ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t at) { return do_pwritev(fd, v, n, at); }
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) { return do_pwritev(fd, v, n, at); }

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  return is_our_fd(fd) && fails("sync") ? -1 : real(fd);
}
int fsync(int fd) {
  REAL(int, "fsync", int);
  return is_our_fd(fd) && fails("sync") ? -1 : real(fd);
}
int ftruncate64(int fd, off64_t n) {
  REAL(int, "ftruncate64", int, off64_t);
  return is_our_fd(fd) && fails("truncate") ? -1 : real(fd, n);
}
int ftruncate(int fd, off_t n) { return ftruncate64(fd, n); }
int link(const char *from, const char *to) {
  REAL(int, "link", const char *, const char *);
  return is_ours(to) && strstr(to, ".wal") && fails("link") ? -1 : real(from, to);
}
int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  int is_segment = strstr(path, ".wal") != NULL || strstr(path, ".new") != NULL;
  return is_ours(path) && is_segment && fails("unlink") ? -1 : real(path);
}
static int do_open(const char *path, int flags, int mode) {
  REAL(int, "open64", const char *, int, ...);
  int is_segment = strstr(path, ".wal") != NULL || strstr(path, ".new") != NULL;
  return is_ours(path) && is_segment && fails("open") ? -1 : real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  int mode = va_arg(list, int);
  va_end(list);
  return do_open(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  int mode = va_arg(list, int);
  va_end(list);
  return do_open(path, flags, mode);
}
