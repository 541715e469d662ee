//! Removing snapshots, and what no other one holds; never the newest.

use std::path::Path;

use rustic_core::PruneOptions;
use rustic_core::repofile::SnapshotId;
use switchback_core::port::Forgotten;
use switchback_core::world::{Disk, FileKind};

use crate::trouble::{Trouble, guarded};
use crate::vault::{RusticVault, snapshot_id};

impl RusticVault {
    /// Removes the snapshots of these full ids. Their files go first, then their records, then their packs: a crash
    /// leaves what nobody needs, and nothing that refers to what is gone.
    pub(crate) fn removed(&self, ids: &[String]) -> Result<Forgotten, Trouble> {
        let _lock = self.place.lock("forgetting snapshots")?;
        let heads = self.heads()?;
        let Some(newest) = heads.last().map(|head| head.record.id.clone()) else {
            return Err(Trouble::new("there is no snapshot").hinted("`switchback snapshot create` makes one"));
        };
        for id in ids {
            if *id == newest {
                return Err(Trouble::new(format!("snapshot {id} is the newest verified one"))
                    .hinted("make another one first: `switchback snapshot create`"));
            }
            if !heads.iter().any(|head| head.record.id == *id) {
                return Err(
                    Trouble::new(format!("there is no snapshot {id}")).hinted("`switchback snapshot list`")
                );
            }
        }
        self.newest_is_whole(&newest, "nothing was removed: the newest snapshot")?;
        let before = size(self.disk(), &self.place.root)?;
        let repository = self.place.open_or_make()?;
        let doomed: Vec<SnapshotId> = ids.iter().map(|id| snapshot_id(id)).collect::<Result<_, _>>()?;
        guarded(|| Ok(repository.delete_snapshots(&doomed)?))?;
        for id in ids {
            self.records.remove(self.disk(), id)?;
        }
        let mut options = PruneOptions::default();
        // Nobody else writes while the lock is held.
        options.instant_delete = true;
        guarded(|| {
            let plan = repository.prune_plan(&options)?;
            Ok(repository.prune(&options, plan)?)
        })?;
        self.newest_is_whole(&newest, "the snapshot that was kept")?;
        let after = size(self.disk(), &self.place.root)?;
        Ok(Forgotten { freed_bytes: before.saturating_sub(after), kept: newest })
    }

    /// Reads every byte of the snapshot that is to be relied on.
    fn newest_is_whole(&self, newest: &str, what: &str) -> Result<(), Trouble> {
        let findings = self.check_one(&self.place.open_blobs()?, newest)?;
        if findings.is_empty() {
            return Ok(());
        }
        Err(Trouble::list(findings)
            .under(format!("{what}, {newest}, is damaged"))
            .hinted("make another one at once: `switchback snapshot create`"))
    }
}

/// How many bytes the files below a folder have.
fn size(disk: &dyn Disk, folder: &Path) -> Result<u64, Trouble> {
    let mut bytes = 0;
    for name in disk.list(folder)? {
        let place = folder.join(name);
        match disk.look(&place)? {
            Some(meta) if meta.kind == FileKind::Directory => bytes += size(disk, &place)?,
            Some(meta) => bytes += meta.size,
            None => {}
        }
    }
    Ok(bytes)
}
