/* Built programs in the user's cache folder.
 *
 * A file is named by its key, written beside its place and renamed: processes may share the folder. It begins with a
 * hash of the rest, and one that does not match is as good as none. The oldest go when there is too much. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opencl.h"

#define FOLDER_BYTE_LIMIT ((int64_t)256 << 20)
#define FILE_BYTE_LIMIT ((int64_t)128 << 20)
#define HASH_BYTE_COUNT (TFC_OPENCL_KEY_BYTE_COUNT - 1)

tfc_opencl_hash tfc_opencl_hash_begin(void) {
  return (tfc_opencl_hash){0xcbf29ce484222325u, 0x9e3779b97f4a7c15u};
}

/* Two sums of the kind that Fowler, Noll and Vo found. */
void tfc_opencl_hash_add(tfc_opencl_hash *hash, const void *bytes, size_t byte_count) {
  const uint8_t *b = bytes;
  for (size_t n = 0; n < byte_count; n++) {
    hash->a = (hash->a ^ b[n]) * 0x100000001b3u;
    hash->b = (hash->b ^ b[n]) * 0x9fb21c651e98df25u + (hash->b >> 29);
  }
}

void tfc_opencl_hash_key(const tfc_opencl_hash *hash, char *key) {
  snprintf(
      key, TFC_OPENCL_KEY_BYTE_COUNT, "%016llx%016llx", (unsigned long long)hash->a, (unsigned long long)hash->b);
}

/* The folder, made if it is not there; 0 where there is none. Its path may be as long as leaves room for a name. */
static int32_t find_folder(char *folder) {
  const size_t room = TFC_OPENCL_PATH_BYTE_COUNT - 64;
  const char *cache = getenv("XDG_CACHE_HOME");
  const char *home = getenv("HOME");
  int length = 0;
  if (cache != NULL && cache[0] == '/') {
    length = snprintf(folder, room, "%s/tfc/opencl", cache);
  } else if (home != NULL && home[0] == '/') {
    length = snprintf(folder, room, "%s/.cache/tfc/opencl", home);
  }
  if (length <= 0 || (size_t)length >= room) return 0;
  for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    mkdir(folder, 0777);
    *slash = '/';
  }
  mkdir(folder, 0777);
  struct stat facts;
  return stat(folder, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static void hash_text(const uint8_t *bytes, size_t byte_count, char *text) {
  tfc_opencl_hash hash = tfc_opencl_hash_begin();
  tfc_opencl_hash_add(&hash, bytes, byte_count);
  tfc_opencl_hash_key(&hash, text);
}

static int32_t read_all(int file, uint8_t *bytes, size_t byte_count) {
  while (byte_count > 0) {
    ssize_t count = read(file, bytes, byte_count);
    if (count <= 0) return 0;
    bytes += count;
    byte_count -= (size_t)count;
  }
  return 1;
}

static int32_t write_all(int file, const void *bytes, size_t byte_count) {
  const uint8_t *b = bytes;
  while (byte_count > 0) {
    ssize_t count = write(file, b, byte_count);
    if (count <= 0) return 0;
    b += count;
    byte_count -= (size_t)count;
  }
  return 1;
}

/* The file without its hash, to be freed, or null. */
static uint8_t *read_checked(int file, size_t *byte_count) {
  struct stat facts;
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) return NULL;
  if ((int64_t)facts.st_size <= HASH_BYTE_COUNT || (int64_t)facts.st_size > FILE_BYTE_LIMIT) return NULL;
  char expected[TFC_OPENCL_KEY_BYTE_COUNT] = {0}, actual[TFC_OPENCL_KEY_BYTE_COUNT];
  *byte_count = (size_t)facts.st_size - HASH_BYTE_COUNT;
  uint8_t *bytes = malloc(*byte_count);
  if (bytes == NULL) return NULL;
  if (read_all(file, (uint8_t *)expected, HASH_BYTE_COUNT) && read_all(file, bytes, *byte_count)) {
    hash_text(bytes, *byte_count, actual);
    if (memcmp(expected, actual, sizeof expected) == 0) return bytes;
  }
  free(bytes);
  return NULL;
}

uint8_t *tfc_opencl_cache_read(const char *key, size_t *byte_count) {
  char path[TFC_OPENCL_PATH_BYTE_COUNT];
  if (!find_folder(path)) return NULL;
  snprintf(path + strlen(path), 64, "/%s", key);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return NULL;
  uint8_t *bytes = read_checked(file, byte_count);
  close(file);
  if (bytes != NULL) utimensat(AT_FDCWD, path, NULL, 0); /* age counts from the last use */
  return bytes;
}

/* Writes a file that is there as a whole or not at all. */
static int32_t replace(
    const char *folder, const char *name, const void *head, size_t head_byte_count, const void *bytes,
    size_t byte_count) {
  char path[TFC_OPENCL_PATH_BYTE_COUNT], new[TFC_OPENCL_PATH_BYTE_COUNT];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  snprintf(new, sizeof new, "%s/.new-XXXXXX", folder); /* the six letters that mkstemp replaces */
  int file = mkstemp(new);
  if (file < 0) return 0;
  int32_t written = write_all(file, head, head_byte_count) && write_all(file, bytes, byte_count);
  if (close(file) == 0 && written && rename(new, path) == 0) return 1;
  unlink(new);
  return 0;
}

typedef struct entry {
  struct timespec last_use;
  int64_t byte_count;
  char name[64];
} entry;

static int older(const void *a, const void *b) {
  const struct timespec *x = &((const entry *)a)->last_use, *y = &((const entry *)b)->last_use;
  if (x->tv_sec != y->tv_sec) return x->tv_sec < y->tv_sec ? -1 : 1;
  return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

/* The folder's files, to be freed, and their number. */
static entry *list(DIR *folder, size_t *count) {
  entry *entries = NULL;
  size_t room = 0;
  *count = 0;
  for (struct dirent *file = readdir(folder); file != NULL; file = readdir(folder)) {
    struct stat facts;
    if (strlen(file->d_name) >= sizeof entries->name) continue;
    if (fstatat(dirfd(folder), file->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode)) continue;
    if (*count == room) {
      entry *more = realloc(entries, (room = 2 * room + 64) * sizeof *entries);
      if (more == NULL) break;
      entries = more;
    }
    entry *e = &entries[(*count)++];
    e->byte_count = (int64_t)facts.st_size;
    e->last_use = facts.st_mtim;
    strcpy(e->name, file->d_name);
  }
  return entries;
}

/* Removes what was not used for longest until three quarters of the limit are left. */
static void remove_old(const char *path) {
  DIR *folder = opendir(path);
  if (folder == NULL) return;
  size_t count;
  int64_t total = 0;
  entry *entries = list(folder, &count);
  for (size_t e = 0; e < count; e++) total += entries[e].byte_count;
  if (total > FOLDER_BYTE_LIMIT) {
    qsort(entries, count, sizeof *entries, older);
    for (size_t e = 0; e < count && total > FOLDER_BYTE_LIMIT / 4 * 3; e++) {
      if (unlinkat(dirfd(folder), entries[e].name, 0) == 0) total -= entries[e].byte_count;
    }
  }
  free(entries);
  closedir(folder);
}

void tfc_opencl_cache_write(const char *key, const uint8_t *bytes, size_t byte_count) {
  char folder[TFC_OPENCL_PATH_BYTE_COUNT], hash[TFC_OPENCL_KEY_BYTE_COUNT];
  if ((int64_t)byte_count > FILE_BYTE_LIMIT - HASH_BYTE_COUNT || !find_folder(folder)) return;
  hash_text(bytes, byte_count, hash);
  if (replace(folder, key, hash, HASH_BYTE_COUNT, bytes, byte_count)) remove_old(folder);
}

int32_t tfc_opencl_cache_log(const char *key, const char *log, char *path) {
  char folder[TFC_OPENCL_PATH_BYTE_COUNT], name[48];
  if (!find_folder(folder)) return 0;
  snprintf(name, sizeof name, "%s.log", key);
  if (!replace(folder, name, "", 0, log, strlen(log))) return 0;
  remove_old(folder);
  return snprintf(path, TFC_OPENCL_PATH_BYTE_COUNT, "%s/%s", folder, name) < TFC_OPENCL_PATH_BYTE_COUNT;
}
