#include "faultvfs.h"
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

struct FaultVFS {
    sqlite3_vfs base;  // first, because SQLite hands it back as this object
    sqlite3_vfs *real;
    atomic_int countdown;  // operations until the failing one; 0: none fails
    atomic_int failed;
    int stays;
    int full;
};

typedef struct {
    sqlite3_file base;
    FaultVFS *vfs;
    sqlite3_file *real;  // lies behind this object
} FaultFile;

static sqlite3_file *real_of(sqlite3_file *file) { return ((FaultFile *)file)->real; }

static int fails(sqlite3_file *file) {
    FaultVFS *vfs = ((FaultFile *)file)->vfs;
    int left = atomic_load(&vfs->countdown);
    do {
        if (left == 0) return 0;
        if (left == 1 && vfs->stays) break;
    } while (!atomic_compare_exchange_weak(&vfs->countdown, &left, left - 1));
    if (left > 1) return 0;
    atomic_fetch_add(&vfs->failed, 1);
    return 1;
}

static int fault_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    sqlite3_file *real = real_of(file);
    if (!fails(file)) return real->pMethods->xWrite(real, bytes, count, offset);
    real->pMethods->xWrite(real, bytes, count / 2, offset);
    return ((FaultFile *)file)->vfs->full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int fault_sync(sqlite3_file *file, int flags) {
    sqlite3_file *real = real_of(file);
    return fails(file) ? SQLITE_IOERR_FSYNC : real->pMethods->xSync(real, flags);
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size) {
    sqlite3_file *real = real_of(file);
    return fails(file) ? SQLITE_IOERR_TRUNCATE : real->pMethods->xTruncate(real, size);
}

// What never fails goes on to the real file.
static int fault_close(sqlite3_file *file) { return real_of(file)->pMethods->xClose(real_of(file)); }
static int fault_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    return real_of(file)->pMethods->xRead(real_of(file), bytes, count, offset);
}
static int fault_size(sqlite3_file *file, sqlite3_int64 *size) { return real_of(file)->pMethods->xFileSize(real_of(file), size); }
static int fault_lock(sqlite3_file *file, int level) { return real_of(file)->pMethods->xLock(real_of(file), level); }
static int fault_unlock(sqlite3_file *file, int level) { return real_of(file)->pMethods->xUnlock(real_of(file), level); }
static int fault_reserved(sqlite3_file *file, int *held) { return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held); }
static int fault_control(sqlite3_file *file, int what, void *value) { return real_of(file)->pMethods->xFileControl(real_of(file), what, value); }
static int fault_sector(sqlite3_file *file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
static int fault_device(sqlite3_file *file) { return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)); }
static int fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **start) {
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, start);
}
static int fault_shm_lock(sqlite3_file *file, int first, int count, int flags) {
    return real_of(file)->pMethods->xShmLock(real_of(file), first, count, flags);
}
static void fault_shm_barrier(sqlite3_file *file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }
static int fault_shm_unmap(sqlite3_file *file, int delete) { return real_of(file)->pMethods->xShmUnmap(real_of(file), delete); }

// Version 2: without memory-mapped files, which would write past xWrite.
static const sqlite3_io_methods methods = {
    2,          fault_close,   fault_read,   fault_write,   fault_truncate,    fault_sync,      fault_size, fault_lock, fault_unlock, fault_reserved,
    fault_control, fault_sector, fault_device, fault_shm_map, fault_shm_lock, fault_shm_barrier, fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *base, const char *path, sqlite3_file *file, int flags, int *given) {
    FaultFile *opened = (FaultFile *)file;
    opened->vfs = (FaultVFS *)base;
    opened->real = (sqlite3_file *)(opened + 1);
    int code = opened->vfs->real->xOpen(opened->vfs->real, path, opened->real, flags, given);
    // SQLite closes a file that has methods, even one that could not be opened.
    opened->base.pMethods = opened->real->pMethods ? &methods : NULL;
    return code;
}

static sqlite3_vfs *below(sqlite3_vfs *base) { return ((FaultVFS *)base)->real; }
static int fault_delete(sqlite3_vfs *base, const char *path, int sync) { return below(base)->xDelete(below(base), path, sync); }
static int fault_access(sqlite3_vfs *base, const char *path, int flags, int *result) { return below(base)->xAccess(below(base), path, flags, result); }
static int fault_path(sqlite3_vfs *base, const char *path, int count, char *full) { return below(base)->xFullPathname(below(base), path, count, full); }
static int fault_random(sqlite3_vfs *base, int count, char *bytes) { return below(base)->xRandomness(below(base), count, bytes); }
static int fault_sleep(sqlite3_vfs *base, int microseconds) { return below(base)->xSleep(below(base), microseconds); }
static int fault_time(sqlite3_vfs *base, double *day) { return below(base)->xCurrentTime(below(base), day); }
static int fault_error(sqlite3_vfs *base, int count, char *text) { return below(base)->xGetLastError(below(base), count, text); }

FaultVFS *fault_vfs_register(const char *name) {
    FaultVFS *vfs = calloc(1, sizeof *vfs);
    vfs->real = sqlite3_vfs_find(NULL);
    vfs->base = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int)sizeof(FaultFile) + vfs->real->szOsFile,
        .mxPathname = vfs->real->mxPathname,
        .zName = name,
        .xOpen = fault_open,
        .xDelete = fault_delete,
        .xAccess = fault_access,
        .xFullPathname = fault_path,
        .xRandomness = fault_random,
        .xSleep = fault_sleep,
        .xCurrentTime = fault_time,
        .xGetLastError = fault_error,
    };
    sqlite3_vfs_register(&vfs->base, 0);
    return vfs;
}

void fault_vfs_unregister(FaultVFS *vfs) {
    sqlite3_vfs_unregister(&vfs->base);
    free(vfs);
}

void fault_vfs_arm(FaultVFS *vfs, int n, int stays, int full) {
    vfs->stays = stays;
    vfs->full = full;
    atomic_store(&vfs->failed, 0);
    atomic_store(&vfs->countdown, n);
}

int fault_vfs_disarm(FaultVFS *vfs) {
    atomic_store(&vfs->countdown, 0);
    return atomic_load(&vfs->failed);
}
