/*
 * block-log: a FUSE file system with one file, `disk`, that logs every write and every flush in their order.
 *
 *   block-log IMAGE LOG COUNTER MOUNTPOINT [FUSE OPTIONS]
 *
 * IMAGE is where the bytes are at first; it is not changed. In LOG are 'W' (a write), 'Z' (zeros) or 'F' (a flush),
 * then u64 offset and u32 length, little-endian, then the bytes of a 'W'. COUNTER is a file with a u32: flushes so
 * far; whoever reads it after an acknowledgement knows how many there were by then.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static char *bytes;
static size_t size;
static FILE *record;
static volatile uint32_t *flushes;

static void note(char kind, uint64_t offset, uint32_t length, const char *data) {
  fwrite(&kind, 1, 1, record);
  fwrite(&offset, sizeof offset, 1, record);
  fwrite(&length, sizeof length, 1, record);
  if (data != NULL) fwrite(data, 1, length, record);
}

static int attributes(const char *path, struct stat *out, struct fuse_file_info *file) {
  (void)file;
  memset(out, 0, sizeof *out);
  if (strcmp(path, "/") == 0) {
    out->st_mode = S_IFDIR | 0755;
    out->st_nlink = 2;
  } else if (strcmp(path, "/disk") == 0) {
    out->st_mode = S_IFREG | 0644;
    out->st_nlink = 1;
    out->st_size = size;
  } else return -ENOENT;
  return 0;
}

static int read_bytes(const char *path, char *to, size_t length, off_t offset, struct fuse_file_info *file) {
  (void)path, (void)file;
  if ((size_t)offset >= size) return 0;
  if (offset + length > size) length = size - offset;
  memcpy(to, bytes + offset, length);
  return length;
}

static int write_bytes(const char *path, const char *from, size_t length, off_t offset, struct fuse_file_info *file) {
  (void)path, (void)file;
  if (offset + length > size) return -ENOSPC;
  memcpy(bytes + offset, from, length);
  note('W', offset, length, from);
  return length;
}

static int flush_bytes(const char *path, int datasync, struct fuse_file_info *file) {
  (void)path, (void)datasync, (void)file;
  note('F', 0, 0, NULL);
  fflush(record);
  ++*flushes;
  return 0;
}

static int zero_bytes(const char *path, int mode, off_t offset, off_t length, struct fuse_file_info *file) {
  (void)path, (void)file;
  if (mode == 0 || (size_t)(offset + length) > size) return 0;
  memset(bytes + offset, 0, length);
  note('Z', offset, length, NULL);
  return 0;
}

static int truncate_file(const char *path, off_t length, struct fuse_file_info *file) {
  (void)path, (void)length, (void)file;
  return -EPERM;
}

int main(int count, char **arguments) {
  if (count < 5) return 2;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  int image = open(arguments[1], O_RDONLY);
  struct stat about;
  if (image < 0 || fstat(image, &about) != 0) return 2;
  size = about.st_size;
  bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, image, 0);
  record = fopen(arguments[2], "w");
  int counter = open(arguments[3], O_RDWR | O_CREAT, 0600);
  if (record == NULL || counter < 0 || ftruncate(counter, 4) != 0) return 2;
  flushes = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, counter, 0);
  static const struct fuse_operations operations = {
      .getattr = attributes, .read = read_bytes, .write = write_bytes, .fsync = flush_bytes,
      .fallocate = zero_bytes, .truncate = truncate_file};
  arguments[3] = arguments[0];
  /* One thread: the log's order is the order in which things were done. */
  return fuse_main(count - 3, arguments + 3, &operations, NULL);
}
