//! The entries of a scanned tree, each in the form in which a repository keeps it.

use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{Metadata, Node, NodeType};
use switchback_core::manifest::{Entry, Kind};
use switchback_core::tree::Seen;

use crate::trouble::Trouble;

/// The entry in the form of the backup; `seen` adds what only that keeps (inode, links, time of change). Its content, or the
/// listing of it, is left open.
pub(crate) fn node(entry: &Entry, seen: &Seen) -> Result<Node, Trouble> {
    let refused = |why: &str| {
        Trouble::new(format!("`{}` cannot be kept in a snapshot: {why}", entry.path.display()))
            .hinted("remove it, or leave it out of the managed paths")
    };
    let mut size = 0;
    let node_type = match &entry.kind {
        Kind::File { size: bytes, .. } => {
            size = *bytes;
            NodeType::File
        }
        Kind::Directory => NodeType::Dir,
        Kind::Symlink(target) => NodeType::from_link(target),
        Kind::Fifo => NodeType::Fifo,
        Kind::Device { block: true, number } => NodeType::Dev { device: *number },
        Kind::Device { block: false, number } => NodeType::Chardev { device: *number },
        Kind::Socket => return Err(refused("it is a socket, which lives only as long as its process")),
    };
    let mtime = Timestamp::from_nanosecond(entry.mtime_ns)
        .map_err(|_| refused("its time of modification is out of range"))?;
    let mut metadata = Metadata {
        mode: Some(go_mode(entry)),
        mtime: Some(mtime),
        ctime: Timestamp::from_nanosecond(seen.meta.ctime_ns).ok(),
        uid: Some(entry.uid),
        gid: Some(entry.gid),
        inode: seen.meta.identity.inode,
        device_id: seen.meta.identity.device,
        size,
        links: if entry.kind == Kind::Directory { 0 } else { seen.meta.links },
        ..Metadata::default()
    };
    for (name, value) in &entry.xattrs {
        let name = name.to_str().ok_or_else(|| refused("an extended attribute's name is not text"))?;
        // The type of an attribute is private to the library; its JSON form is that of the public format.
        let attribute = serde_json::json!({ "name": name, "value": base64(value) });
        metadata.extended_attributes.push(
            serde_json::from_value(attribute)
                .map_err(|_| refused("its extended attributes have no form in the repository"))?,
        );
    }
    let name = entry.path.file_name().ok_or_else(|| refused("it has no name"))?;
    Ok(Node::new_node(name, node_type, metadata))
}

/// Mode and kind as Go's `os.FileMode`, which is what the format stores.
pub(crate) fn go_mode(entry: &Entry) -> u32 {
    let permissions = if matches!(entry.kind, Kind::Symlink(_)) { 0o777 } else { entry.mode & 0o777 };
    let kind = match entry.kind {
        Kind::File { .. } => 0,
        Kind::Directory => 1 << 31,
        Kind::Symlink(_) => 1 << 27,
        Kind::Device { block: true, .. } => 1 << 26,
        Kind::Device { block: false, .. } => 1 << 26 | 1 << 21,
        Kind::Fifo => 1 << 25,
        Kind::Socket => 1 << 24,
    };
    let bit = |posix: u32, go: u32| if entry.mode & posix == 0 { 0 } else { 1 << go };
    permissions | kind | bit(0o4000, 23) | bit(0o2000, 22) | bit(0o1000, 20)
}

/// Base64 with padding (RFC 4648, section 4), as the format writes extended attributes.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().enumerate().fold(0_u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
        for place in 0..4 {
            let digit = (word >> (18 - 6 * place)) & 63;
            text.push(if place > chunk.len() { '=' } else { char::from(DIGITS[digit as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_follows_the_test_vectors_of_rfc_4648() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xff, 0xef, 0xbe]), "/+++");
    }

    #[test]
    fn modes_are_those_of_go() {
        let entry = |kind, mode| Entry {
            path: "x".into(),
            kind,
            mode,
            uid: 0,
            gid: 0,
            mtime_ns: 0,
            xattrs: Vec::new(),
            linked_to: None,
        };
        assert_eq!(go_mode(&entry(Kind::File { size: 0, hash: [0; 32] }, 0o4755)), 0o755 | 0x80_0000);
        assert_eq!(go_mode(&entry(Kind::Directory, 0o1777)), 0o777 | 0x8010_0000);
        assert_eq!(go_mode(&entry(Kind::Directory, 0o2750)), 0o750 | 0x8040_0000);
        assert_eq!(go_mode(&entry(Kind::Symlink("y".into()), 0)), 0o777 | 0x0800_0000);
        assert_eq!(go_mode(&entry(Kind::Device { block: false, number: 1 }, 0o600)), 0o600 | 0x0420_0000);
    }
}
