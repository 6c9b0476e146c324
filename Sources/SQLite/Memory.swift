import CSQLite

/// The C library's allocator, as a server wants it.
package enum Memory {
    /// Answers of up to some megabytes come from the heap: glibc's default maps each block above 128 KiB anew, and the kernel
    /// has to clear its pages for every answer (mallopt(3)).
    package static func keepLargeBlocks() {
        mallopt(M_MMAP_THRESHOLD, 4 << 20)
        mallopt(M_TRIM_THRESHOLD, 16 << 20)
        // The heap grows in steps that are worth a call of the kernel.
        mallopt(M_TOP_PAD, 1 << 20)
    }
}
