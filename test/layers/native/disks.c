/*
 * disks: mounts image files through loop devices, cuts their power, and unmounts them; commands come by stdin, one
 * a line, each answered by "ok" or "error ...". When stdin ends (its parent is gone, however that died) it unmounts
 * all that is left, lets the loop devices go, and removes the directory that it was given.
 *
 *   mount IMAGE DIRECTORY TYPE [OPTIONS]
 *   tmpfs DIRECTORY BYTES    a file system in memory, of that size
 *   resize DIRECTORY BYTES   which it has from now on
 *   thin IMAGE DIRECTORY TYPE [OPTIONS]    as mount, for an image that may find no room underneath
 *   umount DIRECTORY
 *   cut DIRECTORY        shuts the file system down without a flush of its log: nothing reaches the device any more
 *   track DIRECTORY      unmounts that too in the end
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

/* EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are the same number. */
#define SHUTDOWN _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH 2

static char mounted[64][512];

static void track(const char *path) {
  for (int i = 0; i < 64; i++)
    if (mounted[i][0] == 0) {
      snprintf(mounted[i], sizeof mounted[i], "%s", path);
      return;
    }
}

/* The size of one write, in KiB. */
static int limit_writes(int number, const char *kib) {
  char path[96];
  snprintf(path, sizeof path, "/sys/block/loop%d/queue/max_sectors_kb", number);
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  int result = write(file, kib, strlen(kib)) < 0 ? -1 : 0;
  close(file);
  return result;
}

/*
 * A loop device takes a write that was stored in part for one that was stored. So that its writes are stored or fail,
 * those to a thin image are of one page each.
 */
static int mount_image(const char *image, const char *path, const char *type, const char *options, int is_thin) {
  int file = open(image, O_RDWR | O_CLOEXEC);
  int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  int result = -1, loop = -1;
  char device[64];
  for (int tries = 0; file >= 0 && control >= 0 && tries < 500; tries++) {
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) break;
    snprintf(device, sizeof device, "/dev/loop%d", number);
    loop = open(device, O_RDWR | O_CLOEXEC);
    struct loop_config config = {.fd = file, .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
    if (loop >= 0 && ioctl(loop, LOOP_CONFIGURE, &config) == 0) {
      int limited = limit_writes(number, is_thin ? "4" : "1280");
      result = is_thin && limited != 0 ? -1 : mount(device, path, type, MS_NOATIME, options);
      break;
    }
    /* Somebody else took it first. */
    if (loop >= 0) close(loop);
    loop = -1;
    usleep(2000);
  }
  int error = errno;
  if (loop >= 0) close(loop);
  if (file >= 0) close(file);
  if (control >= 0) close(control);
  if (result == 0) track(path);
  errno = error;
  return result;
}

static int mount_tmpfs(const char *path, const char *bytes, unsigned long flags) {
  char options[64];
  snprintf(options, sizeof options, "size=%.40s", bytes);
  int result = mount("tmpfs", path, "tmpfs", flags, options);
  if (result == 0 && flags == 0) track(path);
  return result;
}

static int unmount(const char *path) {
  for (int tries = 0; umount2(path, 0) != 0; tries++) {
    if (errno != EBUSY || tries == 3000) return -1;
    usleep(1000);
  }
  for (int i = 0; i < 64; i++)
    if (strcmp(mounted[i], path) == 0) mounted[i][0] = 0;
  return 0;
}

static int cut(const char *path) {
  int directory = open(path, O_RDONLY | O_CLOEXEC);
  uint32_t flags = NO_LOG_FLUSH;
  int result = directory < 0 ? -1 : ioctl(directory, SHUTDOWN, &flags);
  int error = errno;
  if (directory >= 0) close(directory);
  errno = error;
  return result;
}

int main(int count, char **arguments) {
  char line[2048];
  for (int number = 1; number < NSIG; number++)
    if (number != SIGKILL && number != SIGSTOP && number != SIGCHLD) signal(number, SIG_IGN);
  while (fgets(line, sizeof line, stdin) != NULL) {
    char command[16] = "", a[512] = "", b[512] = "", type[16] = "", options[256] = "";
    sscanf(line, "%15s %511s %511s %15s %255s", command, a, b, type, options);
    int result = 0;
    if (strcmp(command, "mount") == 0) result = mount_image(a, b, type, options, 0);
    else if (strcmp(command, "thin") == 0) result = mount_image(a, b, type, options, 1);
    else if (strcmp(command, "tmpfs") == 0) result = mount_tmpfs(a, b, 0);
    else if (strcmp(command, "resize") == 0) result = mount_tmpfs(a, b, MS_REMOUNT);
    else if (strcmp(command, "umount") == 0) result = unmount(a);
    else if (strcmp(command, "cut") == 0) result = cut(a);
    else if (strcmp(command, "track") == 0) track(a);
    else errno = EINVAL, result = -1;
    if (result == 0) printf("ok\n");
    else printf("error %s: %s\n", command, strerror(errno));
    fflush(stdout);
  }
  /* The last one first: it may lie in a file of an earlier one. */
  for (int i = 63; i >= 0; i--)
    if (mounted[i][0] != 0) umount2(mounted[i], MNT_DETACH);
  if (count > 1) execlp("rm", "rm", "-rf", "--one-file-system", arguments[1], NULL);
  return 0;
}
