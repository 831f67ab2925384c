/* Preloaded into a server: one disk operation of its database fails when the file named by FAULT_TRIGGER exists. The file names the
   call that fails and is removed then, so that a second try would succeed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 2 for the database itself, 1 for its log and other files beside it, 0 for any other file. */
static int database(int file) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  const char *name = strstr(path, "/ampere.db");
  if (!name) return 0;
  return strcmp(name, "/ampere.db") == 0 ? 2 : 1;
}

static int ordered(const char *call) {
  const char *trigger = getenv("FAULT_TRIGGER");
  if (!trigger || access(trigger, F_OK) != 0) return 0;
  char wanted[16] = "";
  FILE *order = fopen(trigger, "r");
  if (!order) return 0;
  int read = fscanf(order, "%15s", wanted);
  fclose(order);
  return read == 1 && strcmp(wanted, call) == 0;
}

static int fails(const char *call, int file) {
  int which = database(file);
  /* In a checkpoint, the sync of the database itself fails. */
  int meant = which > 0 && (ordered(call) || (which == 2 && strcmp(call, "sync") == 0 && ordered("checkpoint")));
  if (!meant) return 0;
  unlink(getenv("FAULT_TRIGGER"));
  errno = EIO;
  return 1;
}

/* The pages that a failing checkpoint wrote are lost, as the kernel may drop pages it could not write. */
static int loses(int file) {
  return database(file) == 2 && ordered("checkpoint");
}

#define NEXT(name, type) ((type)dlsym(RTLD_NEXT, #name))

int fsync(int file) { return fails("sync", file) ? -1 : NEXT(fsync, int (*)(int))(file); }

int fdatasync(int file) { return fails("sync", file) ? -1 : NEXT(fdatasync, int (*)(int))(file); }

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
  if (loses(file)) return (ssize_t)count;
  return fails("write", file) ? -1 : NEXT(pwrite64, ssize_t (*)(int, const void *, size_t, off64_t))(file, bytes, count, offset);
}

ssize_t pread64(int file, void *bytes, size_t count, off64_t offset) {
  return fails("read", file) ? -1 : NEXT(pread64, ssize_t (*)(int, void *, size_t, off64_t))(file, bytes, count, offset);
}
