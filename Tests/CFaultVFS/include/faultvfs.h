#pragma once

/// A disk that fails on demand: the system's own VFS, whose n-th write, sync or truncation from now can be made to fail.
typedef struct FaultVFS FaultVFS;

/// Registers a VFS of this name, which must outlive it. SQLite must have been configured.
FaultVFS *fault_vfs_register(const char *name);
/// Unregisters and frees it; every file must be closed.
void fault_vfs_unregister(FaultVFS *vfs);

/// Lets the n-th operation fail, 1 the next: a write after half of its bytes. `stays` lets all that follow fail too.
/// `full` makes writes say that the disk is full rather than broken.
void fault_vfs_arm(FaultVFS *vfs, int n, int stays, int full);
/// Lets everything succeed again.
///
/// Returns how many operations failed.
int fault_vfs_disarm(FaultVFS *vfs);
