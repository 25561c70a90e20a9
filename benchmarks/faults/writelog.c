/* Logs what a process writes below one folder, in order and with all content, so that a power cut can be replayed.
 *
 * Loaded with LD_PRELOAD. WRITELOG_ROOT names the folder (absolute, resolved), WRITELOG_FILE the log; without the second
 * nothing is logged. writelog_mark adds a mark of the program's own to the log; writelog_fail lets calls fail, as a full
 * or broken disk would.
 *
 * A log entry: struct entry, then two paths and the data. Calls that the log cannot express (a shared writable map of a
 * file, sendfile, symbolic links) are entered as 'X', so that a replay can refuse the log.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FDS 65536

struct entry {
    uint32_t op;   /* a letter */
    int32_t pid;
    int32_t fd;
    uint32_t first, second; /* lengths of two paths */
    uint32_t unused;
    int64_t a, b; /* offset or flags, size */
    uint64_t size; /* of the data */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int log_fd = -1;
static unsigned char watched[MAX_FDS];

static struct {
    int op, error;
    long after;
    int64_t below;
    char suffix[256];
} failing;

static void start(void) __attribute__((constructor));

static void start(void)
{
    const char *folder = getenv("WRITELOG_ROOT"), *file = getenv("WRITELOG_FILE");
    if (!folder || root_length)
        return;
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    if (file)
        log_fd = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void lock(void) { start(); pthread_mutex_lock(&mutex); }

/* Leaves errno as the call left it. */
static void unlock(void) { int kept = errno; pthread_mutex_unlock(&mutex); errno = kept; }

static int below_root(const char *path)
{
    return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

/* Writes the absolute form of a path; its last part need not exist. */
static void absolute(int dirfd, const char *path, char *out)
{
    char base[PATH_MAX] = "", link[64];
    if (path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
        return;
    }
    if (dirfd == AT_FDCWD) {
        if (!getcwd(base, sizeof base))
            base[0] = 0;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
        ssize_t n = readlink(link, base, sizeof base - 1);
        base[n > 0 ? n : 0] = 0;
    }
    if (snprintf(out, PATH_MAX, "%s/%s", base, path) >= PATH_MAX)
        out[0] = 0;
}

static void note(int op, int fd, int64_t a, int64_t b, const char *first, const char *second, const void *data,
                 uint64_t size)
{
    if (log_fd < 0)
        return;
    int kept = errno;
    struct entry entry = {.op = op, .pid = getpid(), .fd = fd, .a = a, .b = b, .size = size};
    entry.first = first ? strlen(first) : 0;
    entry.second = second ? strlen(second) : 0;
    struct iovec parts[] = {{&entry, sizeof entry}, {(void *)first, entry.first}, {(void *)second, entry.second},
                            {(void *)data, size}};
    size_t wanted = sizeof entry + entry.first + entry.second + size;
    if (syscall(SYS_writev, log_fd, parts, 4) != (long)wanted)
        _exit(97); /* a log with holes proves nothing */
    errno = kept;
}

static int is_watched(int fd) { return fd >= 0 && fd < MAX_FDS && watched[fd]; }

/* Whether this call is to fail; sets errno. */
static int fails(int op, int fd, const char *path, int64_t offset)
{
    char link[64], name[PATH_MAX];
    if (!failing.error || failing.op != op || (failing.below && offset >= failing.below))
        return 0;
    if (!path) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, name, sizeof name - 1);
        name[n > 0 ? n : 0] = 0;
        path = name;
    }
    size_t have = strlen(path), want = strlen(failing.suffix);
    if (have < want || strcmp(path + have - want, failing.suffix) || failing.after-- > 0)
        return 0;
    failing.after = 0;
    errno = failing.error;
    return 1;
}

/* For the program under test. */

void writelog_mark(const char *data, uint64_t size)
{
    lock();
    note('!', -1, 0, 0, NULL, NULL, data, size);
    unlock();
}

/* Let calls of kind op fail with an error: on files whose name ends with suffix, at offsets below a limit (0: any),
 * after some that go well; error 0 ends it. */
void writelog_fail(int op, const char *suffix, int64_t below, long after, int error)
{
    lock();
    failing.op = op, failing.below = below, failing.after = after, failing.error = error;
    snprintf(failing.suffix, sizeof failing.suffix, "%s", suffix);
    unlock();
}

/* Opening and closing. */

static int opened(int fd, int dirfd, const char *path, int flags)
{
    char name[PATH_MAX];
    if (fd < 0 || fd >= MAX_FDS)
        return fd;
    absolute(dirfd, path, name);
    watched[fd] = below_root(name);
    if (watched[fd])
        note('O', fd, flags, 0, name, NULL, NULL, 0);
    return fd;
}

static int refused(int dirfd, const char *path, int flags)
{
    char name[PATH_MAX];
    if (!failing.error || !(flags & O_CREAT))
        return 0;
    absolute(dirfd, path, name);
    return below_root(name) && fails('O', -1, name, 0);
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                        \
        va_end(rest);                                                                                                  \
        lock();                                                                                                        \
        int fd = refused(AT_FDCWD, path, flags) ? -1 : opened(real(path, flags, mode), AT_FDCWD, path, flags);         \
        unlock();                                                                                                      \
        return fd;                                                                                                     \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                                   \
    int name(int dirfd, const char *path, int flags, ...)                                                              \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                        \
        va_end(rest);                                                                                                  \
        lock();                                                                                                        \
        int fd = refused(dirfd, path, flags) ? -1 : opened(real(dirfd, path, flags, mode), dirfd, path, flags);        \
        unlock();                                                                                                      \
        return fd;                                                                                                     \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
    REAL(close);
    lock();
    if (is_watched(fd)) {
        note('C', fd, 0, 0, NULL, NULL, NULL, 0);
        watched[fd] = 0;
    }
    int result = real(fd);
    unlock();
    return result;
}

static int duplicated(int fd, int other)
{
    if (other >= 0 && other < MAX_FDS && other != fd) {
        if (is_watched(other))
            note('C', other, 0, 0, NULL, NULL, NULL, 0);
        watched[other] = is_watched(fd);
        if (watched[other])
            note('U', fd, other, 0, NULL, NULL, NULL, 0);
    }
    return other;
}

int dup(int fd) { REAL(dup); lock(); int other = duplicated(fd, real(fd)); unlock(); return other; }
int dup2(int fd, int to) { REAL(dup2); lock(); int other = duplicated(fd, real(fd, to)); unlock(); return other; }
int dup3(int fd, int to, int flags)
{
    REAL(dup3);
    lock();
    int other = duplicated(fd, real(fd, to, flags));
    unlock();
    return other;
}

#define FCNTL(name)                                                                                                    \
    int name(int fd, int command, ...)                                                                                 \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        va_list rest;                                                                                                  \
        va_start(rest, command);                                                                                       \
        void *argument = va_arg(rest, void *);                                                                         \
        va_end(rest);                                                                                                  \
        if (command != F_DUPFD && command != F_DUPFD_CLOEXEC)                                                          \
            return real(fd, command, argument); /* may wait for a lock */                                              \
        lock();                                                                                                        \
        int other = duplicated(fd, real(fd, command, argument));                                                       \
        unlock();                                                                                                      \
        return other;                                                                                                  \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

/* Writing. */

static void note_parts(int fd, int64_t offset, const struct iovec *parts, int count, ssize_t left)
{
    for (int i = 0; i < count && left > 0; i++) {
        size_t n = parts[i].iov_len < (size_t)left ? parts[i].iov_len : (size_t)left;
        note('W', fd, offset, n, NULL, NULL, parts[i].iov_base, n);
        offset += n, left -= n;
    }
}

#define WRITTEN(fd, offset, call, parts, count)                                                                        \
    do {                                                                                                               \
        if (!is_watched(fd))                                                                                           \
            return call;                                                                                               \
        lock();                                                                                                        \
        int64_t at = offset;                                                                                           \
        ssize_t n = fails('W', fd, NULL, at < 0 ? lseek(fd, 0, SEEK_CUR) : at) ? -1 : call;                            \
        if (n > 0)                                                                                                     \
            note_parts(fd, at < 0 ? lseek(fd, 0, SEEK_CUR) - n : at, parts, count, n);                                 \
        unlock();                                                                                                      \
        return n;                                                                                                      \
    } while (0)

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
    struct iovec part = {(void *)data, size};
    WRITTEN(fd, -1, real(fd, data, size), &part, 1);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    WRITTEN(fd, -1, real(fd, parts, count), parts, count);
}

#define PWRITE(name, offset_t)                                                                                         \
    ssize_t name(int fd, const void *data, size_t size, offset_t offset)                                               \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        struct iovec part = {(void *)data, size};                                                                      \
        WRITTEN(fd, offset, real(fd, data, size, offset), &part, 1);                                                   \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define PWRITEV(name, offset_t)                                                                                        \
    ssize_t name(int fd, const struct iovec *parts, int count, offset_t offset)                                        \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        WRITTEN(fd, offset, real(fd, parts, count, offset), parts, count);                                             \
    }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

#define PWRITEV2(name, offset_t)                                                                                       \
    ssize_t name(int fd, const struct iovec *parts, int count, offset_t offset, int flags)                             \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        if (flags && is_watched(fd)) { /* they may sync, or append */                                                  \
            errno = EOPNOTSUPP;                                                                                        \
            return -1;                                                                                                 \
        }                                                                                                              \
        WRITTEN(fd, offset, real(fd, parts, count, offset, flags), parts, count);                                      \
    }
PWRITEV2(pwritev2, off_t)
PWRITEV2(pwritev64v2, off64_t)

/* Sizes, and what makes things durable. */

#define ON_FILE(name, parameters, arguments, failed, op, a, b)                                                         \
    int name parameters                                                                                                \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        if (!is_watched(fd))                                                                                           \
            return real arguments;                                                                                     \
        lock();                                                                                                        \
        int result = fails(op, fd, NULL, 0) ? failed : real arguments;                                                 \
        if (!result)                                                                                                   \
            note(op, fd, a, b, NULL, NULL, NULL, 0);                                                                   \
        unlock();                                                                                                      \
        return result;                                                                                                 \
    }
ON_FILE(ftruncate, (int fd, off_t size), (fd, size), -1, 'T', size, 0)
ON_FILE(ftruncate64, (int fd, off64_t size), (fd, size), -1, 'T', size, 0)
ON_FILE(posix_fallocate, (int fd, off_t at, off_t size), (fd, at, size), errno, 'A', at, size)
ON_FILE(posix_fallocate64, (int fd, off64_t at, off64_t size), (fd, at, size), errno, 'A', at, size)
ON_FILE(fsync, (int fd), (fd), -1, 'S', 0, 0)
ON_FILE(fdatasync, (int fd), (fd), -1, 'D', 0, 0)
ON_FILE(fallocate, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size), -1, mode ? 'X' : 'A', at, size)
ON_FILE(fallocate64, (int fd, int mode, off64_t at, off64_t size), (fd, mode, at, size), -1, mode ? 'X' : 'A', at, size)

/* Names. */

#define ON_NAMES(name, parameters, arguments, op, dir1, path1, dir2, path2)                                            \
    int name parameters                                                                                                \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        char one[PATH_MAX], two[PATH_MAX];                                                                             \
        lock();                                                                                                        \
        absolute(dir1, path1, one);                                                                                    \
        absolute(dir2, path2, two);                                                                                    \
        int inside = below_root(one) || below_root(two);                                                               \
        int result = inside && fails(op, -1, one, 0) ? -1 : real arguments;                                            \
        if (!result && inside)                                                                                         \
            note(op, -1, 0, 0, one, two, NULL, 0);                                                                     \
        unlock();                                                                                                      \
        return result;                                                                                                 \
    }
#define HERE AT_FDCWD
ON_NAMES(rename, (const char *p, const char *q), (p, q), 'R', HERE, p, HERE, q)
ON_NAMES(renameat, (int d, const char *p, int e, const char *q), (d, p, e, q), 'R', d, p, e, q)
ON_NAMES(renameat2, (int d, const char *p, int e, const char *q, unsigned f), (d, p, e, q, f), f & ~1u ? 'X' : 'R', d,
         p, e, q)
ON_NAMES(link, (const char *p, const char *q), (p, q), 'L', HERE, p, HERE, q)
ON_NAMES(linkat, (int d, const char *p, int e, const char *q, int f), (d, p, e, q, f), 'L', d, p, e, q)
ON_NAMES(symlink, (const char *q, const char *p), (q, p), 'X', HERE, p, HERE, p)
ON_NAMES(symlinkat, (const char *q, int d, const char *p), (q, d, p), 'X', d, p, d, p)
ON_NAMES(unlink, (const char *p), (p), 'N', HERE, p, HERE, p)
ON_NAMES(unlinkat, (int d, const char *p, int f), (d, p, f), f &AT_REMOVEDIR ? 'K' : 'N', d, p, d, p)
ON_NAMES(mkdir, (const char *p, mode_t m), (p, m), 'M', HERE, p, HERE, p)
ON_NAMES(mkdirat, (int d, const char *p, mode_t m), (d, p, m), 'M', d, p, d, p)
ON_NAMES(rmdir, (const char *p), (p), 'K', HERE, p, HERE, p)
ON_NAMES(truncate, (const char *p, off_t size), (p, size), 'X', HERE, p, HERE, p)
ON_NAMES(truncate64, (const char *p, off64_t size), (p, size), 'X', HERE, p, HERE, p)

/* What the log cannot hold. */

static void *mapped(void *result, int fd, int protection, int flags)
{
    if (result != MAP_FAILED && is_watched(fd) && (flags & MAP_SHARED) && (protection & PROT_WRITE)) {
        char link[64], name[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, name, sizeof name - 1);
        name[n > 0 ? n : 0] = 0;
        lock();
        note('P', fd, 0, 0, name, NULL, NULL, 0);
        unlock();
    }
    return result;
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    REAL(mmap);
    return mapped(real(at, size, protection, flags, fd, offset), fd, protection, flags);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
    REAL(mmap64);
    return mapped(real(at, size, protection, flags, fd, offset), fd, protection, flags);
}

#define REFUSED(name, parameters, arguments, fd)                                                                       \
    ssize_t name parameters                                                                                            \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        if (is_watched(fd)) {                                                                                          \
            lock();                                                                                                    \
            note('X', fd, 0, 0, #name, NULL, NULL, 0);                                                                 \
            unlock();                                                                                                  \
        }                                                                                                              \
        return real arguments;                                                                                         \
    }
REFUSED(sendfile, (int to, int from, off_t *at, size_t n), (to, from, at, n), to)
REFUSED(sendfile64, (int to, int from, off64_t *at, size_t n), (to, from, at, n), to)
REFUSED(copy_file_range, (int from, off64_t *a, int to, off64_t *b, size_t n, unsigned f), (from, a, to, b, n, f), to)
REFUSED(splice, (int from, off64_t *a, int to, off64_t *b, size_t n, unsigned f), (from, a, to, b, n, f), to)
