/* Lets writes to the files of one folder fail, as a full or a broken disk does. Loaded before the C library.
 *
 * FAILING_FOLDER names the folder; FAILING_CONTROL a file of five 64-bit numbers, which the test writes:
 *   seen     calls so far that could have failed; counted here
 *   at       the number of the call that fails
 *   forever  not zero: all calls from that one on fail
 *   error    the errno; 0: nothing fails
 *   full     not zero: what would make a file longer fails with ENOSPC
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct control { volatile int64_t seen, at, forever, error, full; };

static struct control *control(void) {
    static struct control *shared;
    if (!shared) {
        const char *path = getenv("FAILING_CONTROL");
        int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        if (fd < 0) return NULL;
        void *map = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (map != MAP_FAILED) shared = map;
    }
    return shared;
}

static int concerns(int fd) {
    static const char *folder;
    char link[64], path[4096];
    if (!folder) folder = getenv("FAILING_FOLDER");
    if (!folder) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

/* Whether this call is to fail; `end` is how long it would make the file, or -1. */
static int fails(int fd, int64_t end) {
    int before = errno;
    struct control *c = control();
    if (!c || (!c->error && !c->full) || !concerns(fd)) { errno = before; return 0; }
    int64_t number = __sync_fetch_and_add(&c->seen, 1);
    if (c->error && (number == c->at || (c->forever && number > c->at))) { errno = (int)c->error; return 1; }
    struct stat status;
    if (c->full && end >= 0 && fstat(fd, &status) == 0 && end > status.st_size) { errno = ENOSPC; return 1; }
    errno = before;
    return 0;
}

#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); real; })

ssize_t pwrite(int fd, const void *data, size_t count, off_t at) {
    return fails(fd, at + (int64_t)count) ? -1 : REAL(pwrite)(fd, data, count, at);
}
ssize_t pwrite64(int fd, const void *data, size_t count, off64_t at) {
    return fails(fd, at + (int64_t)count) ? -1 : REAL(pwrite64)(fd, data, count, at);
}
ssize_t write(int fd, const void *data, size_t count) {
    int64_t end = -1;
    if (getenv("FAILING_FOLDER") && concerns(fd)) end = lseek(fd, 0, SEEK_CUR) + (int64_t)count;
    return fails(fd, end) ? -1 : REAL(write)(fd, data, count);
}
int fsync(int fd) { return fails(fd, -1) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fails(fd, -1) ? -1 : REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t length) { return fails(fd, length) ? -1 : REAL(ftruncate)(fd, length); }
int ftruncate64(int fd, off64_t length) { return fails(fd, length) ? -1 : REAL(ftruncate64)(fd, length); }
int posix_fallocate(int fd, off_t at, off_t length) {
    return fails(fd, at + length) ? errno : REAL(posix_fallocate)(fd, at, length);
}
