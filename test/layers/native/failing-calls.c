/*
 * failing-calls: LD_PRELOAD library that has the n-th call of one kind on files of one directory fail.
 *
 *   FAIL_DIR    absolute path; other files are left alone
 *   FAIL_CALL   write, sync, open, truncate, link, unlink or read
 *   FAIL_NTH    which of them, from 1
 *   FAIL_ERRNO  a number
 *   FAIL_MODE   once; sticky; short: half of the write is done, and the rest of it fails; or dropped: the sync fails
 *               once, and what was written to the file since its last sync is gone, also from the page cache
 *   FAIL_TRACE  absolute path of a file that gets a byte for each call that has failed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int calls;
static _Atomic int rest_of = -1;

static const char *env(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

/* The directory is reached through its descriptor. */
static const char *behind_descriptor(const char *path, char *resolved, size_t size) {
  static const char start[] = "/proc/self/fd/";
  if (strncmp(path, start, sizeof start - 1) != 0) return path;
  char link[64];
  const char *name = strchr(path + sizeof start - 1, '/');
  size_t length = name ? (size_t)(name - path) : strlen(path);
  if (length >= sizeof link) return path;
  memcpy(link, path, length);
  link[length] = 0;
  ssize_t n = readlink(link, resolved, size - 1);
  if (n < 0) return path;
  snprintf(resolved + n, size - (size_t)n, "%s", name ? name : "");
  return resolved;
}

static int is_ours(const char *given) {
  char resolved[4096];
  const char *path = behind_descriptor(given, resolved, sizeof resolved);
  const char *dir = env("FAIL_DIR");
  size_t n = strlen(dir);
  return *dir && strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == 0);
}

static int is_our_fd(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return is_ours(path);
}

/* Sets errno as this call is to fail, and leaves a trace of it. */
static int failed(void) {
  int fd = (int)syscall(SYS_openat, AT_FDCWD, env("FAIL_TRACE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0) {
    syscall(SYS_write, fd, "x", 1L);
    syscall(SYS_close, fd);
  }
  errno = atoi(env("FAIL_ERRNO"));
  return 1;
}

static int is_mode(const char *mode) { return strcmp(env("FAIL_MODE"), mode) == 0; }

/* Whether this call is the one. */
static int is_due(const char *call) {
  if (strcmp(env("FAIL_CALL"), call)) return 0;
  int n = atomic_fetch_add(&calls, 1) + 1, nth = atoi(env("FAIL_NTH"));
  return n == nth || (n > nth && is_mode("sticky"));
}

static int fails(const char *call) { return is_due(call) && failed(); }

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* What was in the place of a write, until its file is synced. */
struct kept {
  dev_t dev;
  ino_t ino;
  off64_t at;
  size_t bytes;
  char *old;
  struct kept *next;
};
static struct kept *kept;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static ssize_t real_pread(int fd, void *b, size_t n, off64_t at) {
  REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
  return real(fd, b, n, at);
}
static ssize_t real_pwrite(int fd, const void *b, size_t n, off64_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  return real(fd, b, n, at);
}

static void keep(int fd, size_t n, off64_t at) {
  struct stat file;
  if (!is_mode("dropped") || !is_our_fd(fd) || fstat(fd, &file)) return;
  struct kept *one = malloc(sizeof *one);
  *one = (struct kept){file.st_dev, file.st_ino, at, n, calloc(n, 1), NULL};
  (void)!real_pread(fd, one->old, n, at);
  pthread_mutex_lock(&mutex);
  one->next = kept;
  kept = one;
  pthread_mutex_unlock(&mutex);
}

/* The file's writes are durable, or dropped, the last one first. */
static void settle(int fd, int is_dropped) {
  struct stat file;
  if (!is_mode("dropped") || fstat(fd, &file)) return;
  pthread_mutex_lock(&mutex);
  for (struct kept **at = &kept; *at;) {
    struct kept *one = *at;
    if (one->dev != file.st_dev || one->ino != file.st_ino) {
      at = &one->next;
      continue;
    }
    if (is_dropped) (void)!real_pwrite(fd, one->old, one->bytes, one->at);
    *at = one->next;
    free(one->old);
    free(one);
  }
  pthread_mutex_unlock(&mutex);
}

/* The rest of a short write fails: libuv asks for it, and drops the errno. */
static int write_fails(int fd, int *is_short) {
  if (!is_our_fd(fd)) return 0;
  int expected = fd;
  if (atomic_compare_exchange_strong(&rest_of, &expected, -1)) return failed();
  if (!is_due("write")) return 0;
  *is_short = is_mode("short");
  return !*is_short && failed();
}

static ssize_t do_pwrite(int fd, const void *b, size_t n, off64_t at) {
  int is_short = 0;
  if (write_fails(fd, &is_short)) return -1;
  keep(fd, n, at);
  if (!is_short || n < 2) return real_pwrite(fd, b, n, at);
  atomic_store(&rest_of, fd);
  return real_pwrite(fd, b, n > 1024 ? n / 1024 * 512 : n / 2, at);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) { return do_pwrite(fd, b, n, at); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { return do_pwrite(fd, b, n, at); }

static ssize_t do_pwritev(int fd, const struct iovec *v, int n, off64_t at) {
  REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t);
  int is_short = 0;
  if (write_fails(fd, &is_short)) return -1;
  size_t bytes = 0;
  for (int i = 0; i < n; i++) bytes += v[i].iov_len;
  keep(fd, bytes, at);
  if (!is_short) return real(fd, v, n, at);
  struct iovec half = {v[0].iov_base, (v[0].iov_len + 1) / 2};
  atomic_store(&rest_of, fd);
  return real(fd, &half, 1, at);
}
ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t at) { return do_pwritev(fd, v, n, at); }
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) { return do_pwritev(fd, v, n, at); }

static int do_sync(int fd, int (*real)(int)) {
  if (!is_our_fd(fd)) return real(fd);
  if (fails("sync")) {
    int error = errno;
    settle(fd, 1);
    errno = error;
    return -1;
  }
  int result = real(fd);
  if (result == 0) settle(fd, 0);
  return result;
}
int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  return do_sync(fd, real);
}
int fsync(int fd) {
  REAL(int, "fsync", int);
  return do_sync(fd, real);
}
static ssize_t do_pread(int fd, void *b, size_t n, off64_t at) {
  return is_our_fd(fd) && fails("read") ? -1 : real_pread(fd, b, n, at);
}
ssize_t pread64(int fd, void *b, size_t n, off64_t at) { return do_pread(fd, b, n, at); }
ssize_t pread(int fd, void *b, size_t n, off_t at) { return do_pread(fd, b, n, at); }
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
