import CSQLite
import Glibc

/// Which file systems cannot carry a WAL database: its shared memory works on one machine only (sqlite.org/wal.html).
enum FileSystem {
    // f_type of statfs(2).
    private static let networkTypes: [Int: String] = [
        0x6969: "nfs", 0x517B: "smb", 0xFE53_4D42: "smb2", 0xFF53_4D42: "cifs", 0x0102_1997: "9p", 0x00C3_6400: "ceph",
        0x5346_414F: "afs", 0x7375_7245: "coda", 0x0BD0_0BD0: "lustre", 0x4750_4653: "gpfs", 0xA501_FCF5: "vboxsf",
    ]
    private static let fuse = 0x6573_5546
    // Of the many file systems behind FUSE, the ones that are known to be on this machine's disks.
    private static let localFuse: Set = ["fuseblk", "fuse.fuse-overlayfs", "fuse.gocryptfs", "fuse.encfs", "fuse.mergerfs"]

    /// The name of the network file system that the folder is on; nil when it is local.
    static func networkType(ofDirectory path: String) -> String? {
        var information = statfs()
        guard statfs(path, &information) == 0 else { return nil }
        return networkType(magic: Int(information.f_type), mounted: { mountedType(path) })
    }

    /// - Parameter mounted: the type's name in the mount table, asked for only where `magic` does not tell.
    static func networkType(magic: Int, mounted: () -> String?) -> String? {
        if let name = networkTypes[magic] { return name }
        guard magic == fuse else { return nil }
        let name = mounted() ?? "fuse"
        return localFuse.contains(name) ? nil : name
    }

    private static func mountedType(_ path: String) -> String? {
        var information = stat()
        guard stat(path, &information) == 0, let table = fopen("/proc/self/mountinfo", "re") else { return nil }
        defer { fclose(table) }
        let device = "\(gnu_dev_major(information.st_dev)):\(gnu_dev_minor(information.st_dev))"
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, table) > 0, let text = line.map({ String(cString: $0) }) {
            if let type = fileSystemType(mountInfoLine: text, device: device) { return type }
        }
        return nil
    }

    /// The type in a line of proc_pid_mountinfo(5), `36 35 98:0 /root /mnt rw shared:1 - ext4 /dev/sda rw`, if it is this device's.
    static func fileSystemType(mountInfoLine line: String, device: String) -> String? {
        let fields = line.split(separator: " ")
        guard fields.count > 2, fields[2] == device, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { return nil }
        return String(fields[dash + 1])
    }
}
