#pragma once
#include <zlib.h>

// A macro that passes the size of z_stream, which Swift does not import.
static inline int CZlib_deflate_init_gzip(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
