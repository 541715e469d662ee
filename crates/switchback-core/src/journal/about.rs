//! What an event is about: its phase, and the process, database, shadow or rollback of that.

use super::event::Event;

impl Event {
    /// The transaction that a rollback is about. It may be one of an earlier run, whose phase had the same name.
    pub fn rolled_back_transaction(&self) -> Option<&str> {
        match self {
            Self::RollBackStarted { transaction, .. }
            | Self::RolledBack { transaction, .. }
            | Self::PartRolledBack { transaction, .. } => Some(transaction),
            _ => None,
        }
    }

    /// The phase it is about, if it is about one.
    pub fn phase(&self) -> Option<&str> {
        match self {
            Self::RunStarted { .. }
            | Self::Packaged { .. }
            | Self::Received { .. }
            | Self::CommitStarted { .. }
            | Self::Committed { .. }
            | Self::ArchiveStarted { .. }
            | Self::Archived { .. }
            | Self::RestoreStarted { .. }
            | Self::Restored { .. }
            | Self::RestoreUndone { .. }
            | Self::NotificationStarted { .. }
            | Self::NotificationEnded { .. }
            | Self::JournalDamaged { .. }
            | Self::AnchorStarted { .. }
            | Self::AnchorEnded { .. } => None,
            Self::SnapshotStarted { phase }
            | Self::SnapshotTaken { phase, .. }
            | Self::SafetyBranchMade { phase, .. }
            | Self::StageStarted { phase, .. }
            | Self::Staged { phase, .. }
            | Self::RehearsalStarted { phase, .. }
            | Self::Rehearsed { phase, .. }
            | Self::CheckStarted { phase, .. }
            | Self::CheckEnded { phase, .. }
            | Self::Approved { phase, .. }
            | Self::Rejected { phase, .. }
            | Self::CriterionSigned { phase, .. }
            | Self::CutOverStarted { phase, .. }
            | Self::CutOver { phase, .. }
            | Self::DriftChecked { phase, .. }
            | Self::CutOverUndone { phase, .. }
            | Self::RollBackStarted { phase, .. }
            | Self::RolledBack { phase, .. }
            | Self::PartRolledBack { phase, .. }
            | Self::TriggerFired { phase, .. }
            | Self::Watched { phase }
            | Self::Finished { phase, .. }
            | Self::Abandoned { phase, .. }
            | Self::StepFailed { phase, .. }
            | Self::HandOverStarted { phase, .. }
            | Self::ProcessStopped { phase, .. }
            | Self::ProcessStarted { phase, .. }
            | Self::ProcessChecked { phase, .. }
            | Self::HandOverFailed { phase, .. }
            | Self::DatabaseStarted { phase, .. }
            | Self::DatabaseEnded { phase, .. }
            | Self::ShadowStarted { phase, .. }
            | Self::ShadowInputStarted { phase, .. }
            | Self::ShadowInputEnded { phase, .. }
            | Self::ShadowEnded { phase, .. } => Some(phase),
        }
    }

    /// The process it is about, if it is about one. Such an event moves no phase.
    pub fn process(&self) -> Option<&str> {
        match self {
            Self::HandOverStarted { process, .. }
            | Self::ProcessStopped { process, .. }
            | Self::ProcessStarted { process, .. }
            | Self::ProcessChecked { process, .. }
            | Self::HandOverFailed { process, .. } => Some(process),
            _ => None,
        }
    }

    /// The shadow it is about, if it is about one. Such an event moves no phase.
    pub fn shadow(&self) -> Option<&str> {
        match self {
            Self::ShadowStarted { shadow, .. }
            | Self::ShadowInputStarted { shadow, .. }
            | Self::ShadowInputEnded { shadow, .. }
            | Self::ShadowEnded { shadow, .. } => Some(shadow),
            _ => None,
        }
    }

    /// The database it is about, with the transaction, if it is about one. Such an event moves no phase.
    pub fn database(&self) -> Option<(String, String)> {
        match self {
            Self::DatabaseStarted { transaction, database, .. }
            | Self::DatabaseEnded { transaction, database, .. } => {
                Some((transaction.clone(), database.clone()))
            }
            _ => None,
        }
    }
}
