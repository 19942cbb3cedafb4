package local

import "golang.org/x/sys/unix"

// Kinds of file systems (statfs(2)); those that are shared between machines, or
// kept by a program, are marked.
var kinds = map[uint32]struct {
	name   string
	shared bool
}{
	unix.EXT4_SUPER_MAGIC: {"ext4", false}, unix.XFS_SUPER_MAGIC: {"xfs", false}, unix.BTRFS_SUPER_MAGIC: {"btrfs", false}, unix.TMPFS_MAGIC: {"tmpfs", false},
	unix.OVERLAYFS_SUPER_MAGIC: {"overlay", false}, 0x2fc12fc1: {"zfs", false}, unix.F2FS_SUPER_MAGIC: {"f2fs", false},
	unix.NFS_SUPER_MAGIC: {"nfs", true}, unix.SMB_SUPER_MAGIC: {"smb", true}, unix.SMB2_SUPER_MAGIC: {"smb2", true}, unix.CIFS_SUPER_MAGIC: {"cifs", true},
	unix.FUSE_SUPER_MAGIC: {"fuse", true}, unix.V9FS_MAGIC: {"9p", true}, unix.CEPH_SUPER_MAGIC: {"ceph", true}, 0x0bd00bd0: {"lustre", true},
	0x47504653: {"gpfs", true}, unix.AFS_SUPER_MAGIC: {"afs", true}, unix.CODA_SUPER_MAGIC: {"coda", true}, 0x19830326: {"beegfs", true},
}

// fileSystem names the file system of a folder, "" when that cannot be said.
func fileSystem(dir string) (name string, shared bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return "", false
	}
	k := kinds[uint32(st.Type)]
	return k.name, k.shared
}
