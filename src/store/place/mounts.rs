//! Which file system a directory lies on, read from a mount table.

use std::path::Path;

/// Kinds of file system that other machines share, by the names that Linux gives them.
const SHARED: [&str; 20] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "fuse.sshfs",
    "gfs2",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "smb2",
    "smb3",
    "smbfs",
    "virtiofs",
];

/// The kind of the shared file system that `path` lies on, by the mount table `mountinfo`
/// (the form of `/proc/self/mountinfo`, proc(5)); `None` where it lies on a local one.
///
/// `path` is absolute and free of symbolic links.
pub(super) fn shared_file_system<'a>(mountinfo: &'a str, path: &Path) -> Option<&'a str> {
    let mounts = mountinfo.lines().filter_map(parse);
    // Where two mounts lie at one place, the later one covers the earlier.
    let (_, kind) = mounts
        .filter(|(point, _)| path.starts_with(point))
        .max_by_key(|(point, _)| Path::new(point).components().count())?;
    let shared = SHARED.contains(&kind)
        || kind.strip_prefix("fuse.").is_some_and(|helper| {
            SHARED.contains(&helper)
                || ["sshfs", "rclone", "s3fs", "gvfsd-fuse", "vmhgfs-fuse"].contains(&helper)
        });
    shared.then_some(kind)
}

/// The mount point and the kind of file system that a line tells.
fn parse(line: &str) -> Option<(String, &str)> {
    let (mount, file_system) = line.split_once(" - ")?;
    let point = mount.split(' ').nth(4)?;
    let kind = file_system.split(' ').next()?;
    Some((unescape(point), kind))
}

/// Undoes the octal escapes that the table has for blanks and backslashes.
fn unescape(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match escaped {
            Some(byte) => {
                plain.push(byte);
                rest = &tail[3..];
            }
            None => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r"22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:40 / /home/ann/my\040share rw,relatime shared:1 - nfs4 server:/ann rw,vers=4.2
41 27 0:41 / /mnt/host rw,relatime - virtiofs host rw
42 41 254:1 / /mnt/host/local rw,relatime - xfs /dev/vdb rw
43 27 0:43 / /mnt/c rw,noatime - 9p drvfs rw
44 27 0:44 / /mnt/ssh rw - fuse.sshfs ann@host: rw
45 27 0:45 / /mnt/twice rw - cifs //s/x rw
46 45 254:2 / /mnt/twice rw - btrfs /dev/vdc rw
47 27 0:47 / /mnt/crypt rw - fuse.gocryptfs /x rw
";

    fn kind(path: &str) -> Option<&str> {
        shared_file_system(TABLE, Path::new(path))
    }

    #[test]
    fn the_mount_that_covers_the_path_counts() {
        assert_eq!(kind("/home/ann/.ream"), None);
        assert_eq!(kind("/home/ann/my share/.ream"), Some("nfs4"));
        assert_eq!(kind("/home/ann/my share2/.ream"), None);
        assert_eq!(kind("/mnt/host/.ream"), Some("virtiofs"));
        assert_eq!(kind("/mnt/host/local/.ream"), None);
        assert_eq!(kind("/mnt/c/Users/ann/.ream"), Some("9p"));
        assert_eq!(kind("/mnt/ssh"), Some("fuse.sshfs"));
        assert_eq!(kind("/mnt/crypt/.ream"), None);
    }

    #[test]
    fn what_other_machines_share_is_known_by_its_kind() {
        let kinds = "9p afs beegfs ceph cifs coda davfs fuse.ceph fuse.glusterfs fuse.rclone \
                     fuse.s3fs fuse.sshfs gfs2 lustre nfs nfs4 ocfs2 smb2 smb3 smbfs virtiofs";
        for kind in kinds.split(' ') {
            let table = format!("43 27 0:43 / /mnt rw - {kind} source rw\n");
            assert_eq!(shared_file_system(&table, Path::new("/mnt/.ream")), Some(kind));
        }
        for kind in "ext4 xfs btrfs zfs f2fs tmpfs overlay ntfs3 exfat fuse.ntfs-3g".split(' ') {
            let table = format!("43 27 0:43 / /mnt rw - {kind} source rw\n");
            assert_eq!(shared_file_system(&table, Path::new("/mnt/.ream")), None, "{kind}");
        }
    }

    #[test]
    fn a_later_mount_covers_an_earlier_one() {
        assert_eq!(kind("/mnt/twice/.ream"), None);
    }

    #[test]
    fn a_table_that_can_not_be_read_refuses_nothing() {
        assert_eq!(shared_file_system("", Path::new("/x")), None);
        assert_eq!(shared_file_system("garbage\n1 2 3", Path::new("/x")), None);
    }
}
