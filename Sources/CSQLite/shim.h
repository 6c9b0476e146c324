#pragma once
#include <sqlite3.h>
// mallopt, malloc_trim: what SQLite's caches give back, the process keeps otherwise; Glibc's module lacks it.
#include <malloc.h>
// Which file system a database lies on; Glibc's module has neither.
#include <sys/sysmacros.h>
#include <sys/vfs.h>

// A macro that casts -1 to a function pointer, which Swift does not import.
static inline sqlite3_destructor_type CSQLite_transient(void) { return SQLITE_TRANSIENT; }

// sqlite3_db_config is variadic, which Swift does not import.
static inline int CSQLite_db_config(sqlite3 *db, int option, int value) {
    int stored = 0;
    int code = sqlite3_db_config(db, option, value, &stored);
    return code != SQLITE_OK ? code : (stored == value ? SQLITE_OK : SQLITE_ERROR);
}

// sqlite3_config is variadic. Without its memory statistics SQLite takes no global lock at each allocation.
static inline int CSQLite_disable_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
