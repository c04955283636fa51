//! Tells whether a folder lies on a file system that other machines may be using too.
//!
//! SQLite's write-ahead log needs memory that all its users share, which no network gives. Unknown is taken for local if
//! the kernel itself implements the file system, and for remote if a program does (FUSE).

use std::path::Path;

/// Says whether `folder` lies on a network file system, or on one that may be.
#[cfg(target_os = "linux")]
pub(super) fn is_shared_between_machines(folder: &Path) -> bool {
    match rustix::fs::statfs(folder) {
        // The kernel's numbers are 32 bits wide, in a field whose width and sign differ between architectures.
        Ok(status) => is_network_number(status.f_type as u32),
        Err(_) => true,
    }
}

/// Says whether `folder` lies on a network file system: not known on this operating system, so taken for local.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_shared_between_machines(_folder: &Path) -> bool {
    false
}

/// The numbers by which Linux tells file systems, for those that are shared between machines.
#[cfg(target_os = "linux")]
fn is_network_number(number: u32) -> bool {
    const NETWORK: [u32; 17] = [
        0x0000_6969, // NFS
        0x0000_517B, // SMB
        0xFE53_4D42, // SMB2 and later
        0xFF53_4D42, // CIFS
        0x0BD0_0BD0, // Lustre
        0x00C3_6400, // CephFS
        0x6573_5546, // FUSE: sshfs, s3fs and many more
        0x4750_4653, // GPFS
        0x1983_0326, // BeeGFS
        0xAAD7_AAEA, // PanFS
        0x0102_1997, // 9P
        0x5346_414F, // AFS
        0x6B41_4653, // AFS in the kernel
        0x7375_7245, // Coda
        0x0116_1970, // GFS2
        0x7461_636F, // OCFS2
        0x786F_4256, // folders that a virtual machine shares with its host
    ];
    NETWORK.contains(&number)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_told_from_local_ones() {
        let ext4_xfs_btrfs_tmpfs_overlay =
            [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630];
        for local in ext4_xfs_btrfs_tmpfs_overlay {
            assert!(!is_network_number(local), "{local:#x}");
        }
        for network in [0x6969, 0xFE53_4D42, 0x0BD0_0BD0, 0x00C3_6400, 0x6573_5546] {
            assert!(is_network_number(network), "{network:#x}");
        }
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_taken_for_local() {
        assert!(is_shared_between_machines(Path::new("/no/such/folder")));
    }
}
