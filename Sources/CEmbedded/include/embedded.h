#pragma once
#include <stddef.h>

/// A file that was compiled into the binary; `bytes` live as long as the process.
typedef struct {
    const char *name;
    const unsigned char *bytes;
    size_t count;
} EmbeddedFile;

extern const EmbeddedFile embedded_migrations[];
extern const size_t embedded_migration_count;
extern const EmbeddedFile embedded_openapi;
extern const EmbeddedFile embedded_coops;
extern const EmbeddedFile embedded_mooc;
extern const EmbeddedFile embedded_workshop;
extern const EmbeddedFile embedded_dashboard[];
extern const size_t embedded_dashboard_count;

/// The n-th migration, because Swift cannot index a C array of unknown size.
static inline EmbeddedFile embedded_migration(size_t index) { return embedded_migrations[index]; }
static inline EmbeddedFile embedded_dashboard_file(size_t index) { return embedded_dashboard[index]; }
