// Kills the process it is loaded into (LD_PRELOAD) before one of its steps: a step is whatever somebody outside could see of it,
// on the disk or on the network. How many steps are left stands in the file that STEPS names; at 0 it is not counted.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static _Atomic long *left;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("STEPS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) abort();
    left = memory;
    close(file);
}

static void step(void) {
    long now = atomic_load(left);
    while (now > 0 && !atomic_compare_exchange_weak(left, &now, now - 1)) {}
    if (now == 1) kill(getpid(), SIGKILL);
}

#define STEP(type, name, parameters, arguments)                \
    type name parameters {                                     \
        static type(*real) parameters;                         \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
        step();                                                \
        return real arguments;                                 \
    }

STEP(ssize_t, write, (int file, const void *bytes, size_t count), (file, bytes, count))
STEP(ssize_t, pwrite, (int file, const void *bytes, size_t count, off_t at), (file, bytes, count, at))
STEP(ssize_t, pwrite64, (int file, const void *bytes, size_t count, off64_t at), (file, bytes, count, at))
STEP(ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count))
STEP(int, fsync, (int file), (file))
STEP(int, fdatasync, (int file), (file))
STEP(int, ftruncate, (int file, off_t length), (file, length))
STEP(int, ftruncate64, (int file, off64_t length), (file, length))
STEP(int, unlink, (const char *path), (path))
STEP(int, rename, (const char *old, const char *new), (old, new))
STEP(ssize_t, send, (int socket, const void *bytes, size_t count, int flags), (socket, bytes, count, flags))
STEP(ssize_t, sendmsg, (int socket, const struct msghdr *message, int flags), (socket, message, flags))
STEP(ssize_t, recv, (int socket, void *bytes, size_t count, int flags), (socket, bytes, count, flags))
