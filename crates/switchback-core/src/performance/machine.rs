//! The machine that figures belong to.

use std::path::Path;

use super::format::MachineFacts;
use crate::world::Disk;

/// What of the memory may differ between two starts of one machine, which keeps some for itself: a fiftieth.
const MEMORY_SHARE: u64 = 50;
/// A larger file of the kernel's is none of those that are read here.
const FACTS_BYTES_MAX: u64 = 16 << 20;

/// The machine that figures belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its facts.
    pub facts: MachineFacts,
}

impl Machine {
    /// This one. What it does not tell is left empty.
    pub fn this(disk: &dyn Disk) -> Self {
        let read = |path: &str| {
            let bytes = disk.read(Path::new(path), FACTS_BYTES_MAX).unwrap_or_default();
            String::from_utf8_lossy(&bytes).trim().to_owned()
        };
        let (processors, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
        let values = |name: &'static str| {
            let lines = processors.lines().filter_map(|line| line.split_once(':'));
            lines.filter(move |(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
        };
        let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
        let governor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
        let facts = MachineFacts {
            // On ARM the model has no name; its number of the part has to do.
            cpu: values("model name").chain(values("CPU part")).next().unwrap_or_default(),
            cores: values("processor").count() as u64,
            memory_bytes: kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0).saturating_mul(1024),
            kernel: read("/proc/sys/kernel/osrelease"),
            governor: Some(governor).filter(|governor| !governor.is_empty()),
        };
        Self { facts }
    }

    /// In what this one differs from another one, a line each; nothing when figures of both can be held against each other.
    pub fn differences(&self, other: &MachineFacts) -> Vec<String> {
        let facts = &self.facts;
        let text = |value: &str| if value.is_empty() { "unknown".to_owned() } else { format!("`{value}`") };
        let mut found = Vec::new();
        let mut differ = |what: &str, then: String, now: String| {
            if then != now {
                found.push(format!("its {what} was {then}, and is {now}"));
            }
        };
        differ("processor", text(&other.cpu), text(&facts.cpu));
        differ("number of cores", other.cores.to_string(), facts.cores.to_string());
        let room = other.memory_bytes.max(facts.memory_bytes) / MEMORY_SHARE;
        if other.memory_bytes.abs_diff(facts.memory_bytes) > room {
            let shown = |bytes: u64| format!("{} MiB", bytes >> 20);
            differ("memory", shown(other.memory_bytes), shown(facts.memory_bytes));
        }
        differ("kernel", text(&other.kernel), text(&facts.kernel));
        let governor = |governor: &Option<String>| text(governor.as_deref().unwrap_or_default());
        differ("governor", governor(&other.governor), governor(&facts.governor));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::RealDisk;

    #[test]
    fn a_machine_is_like_itself_and_says_in_what_another_differs() {
        let this = Machine::this(&RealDisk);
        assert!(this.facts.cores > 0 && this.facts.memory_bytes > 1 << 20, "{this:?}");
        assert!(!this.facts.kernel.is_empty(), "{this:?}");
        assert_eq!(this.differences(&this.facts), Vec::<String>::new());
        let mut other = this.facts.clone();
        other.memory_bytes += other.memory_bytes / 100;
        assert_eq!(this.differences(&other), Vec::<String>::new(), "a restart keeps another amount");
        let other = MachineFacts {
            cpu: "Abacus".to_owned(),
            cores: 3_000,
            memory_bytes: 1 << 20,
            kernel: "1.0".to_owned(),
            governor: Some("snail".to_owned()),
        };
        let told = this.differences(&other);
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told[0].starts_with("its processor was `Abacus`, and is "), "{told:?}");
    }
}
