//! Whether a pod serves.

use super::pod::PodsOf;
use crate::{batch::flags, fleet::PodRow};

/// Label of the place of a pod in its life (`openkruise/kruise apis/apps/pub LifecycleStateKey`).
pub const LIFECYCLE: &str = "lifecycle.apps.kruise.io/state";

impl PodsOf<'_> {
    /// Not Ready, or being deleted: what every budget over pods counts
    /// (`kubernetes pkg/controller/disruption countHealthyPods`).
    #[must_use]
    pub fn is_down(&self, row: PodRow) -> bool {
        !self.columns.is_ready(row)
    }

    /// Ready for at least so many seconds (`kubernetes pkg/api/v1/pod IsPodAvailable`). Time alone
    /// makes it true.
    #[must_use]
    pub fn is_available(&self, row: PodRow, min_ready_s: u32) -> bool {
        let since_s = i64::from(self.columns.ready_since_s[row as usize]);
        let ready_for_ms = self.now_ms - since_s * 1000;
        !self.is_down(row) && (min_ready_s == 0 || ready_for_ms >= i64::from(min_ready_s) * 1000)
    }

    /// What a `CloneSet` calls available: also Running, not in the middle of an in-place update
    /// nor of a step of its life (`openkruise/kruise pkg/controller/cloneset/sync IsPodAvailable`).
    #[must_use]
    pub fn is_clone_set_available(&self, row: PodRow, min_ready_s: u32) -> bool {
        matches!(self.lifecycle(row), "" | "Normal")
            && self.columns.has(row, flags::RUNNING)
            && !self.columns.has(row, flags::IN_PLACE_UPDATE_SHUT)
            && self.is_available(row, min_ready_s)
    }
}
