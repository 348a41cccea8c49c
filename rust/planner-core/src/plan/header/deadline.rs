//! Whether everything is done in time, and what is not.

use serde::Serialize;

use super::Scene;
use crate::time::rfc3339;

/// Workloads that a warning names.
const NAMED: usize = 3;

#[derive(Serialize)]
pub(super) struct Deadline {
    time: String,
    /// From the end of the last move to the deadline; below 0 when it comes too late.
    spare_s: f64,
    /// Of the header's workloads, those of which a move ends after it.
    late: Vec<u32>,
}

impl Scene<'_> {
    /// The deadline of the request, if it has one.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let (start_ms, deadline_ms) = (self.model.start_ms?, self.model.deadline_ms?);
        let allowed_ms = deadline_ms - start_ms;
        let is_late = |end_ms: u64| i64::try_from(end_ms).is_ok_and(|it| it > allowed_ms);
        let chunks = self.schedule.chunks.iter().enumerate();
        let late = chunks.filter(|(at, _)| is_late(self.schedule.end_ms(&self.model.problem, *at)));
        let mut late: Vec<u32> = late.map(|(_, it)| it.group).collect();
        late.sort_unstable();
        late.dedup();
        Some(Deadline {
            time: rfc3339(deadline_ms),
            spare_s: (allowed_ms as f64 - self.schedule.last_end_ms() as f64) / 1000.0,
            late,
        })
    }

    /// What people should know of a deadline that is missed.
    pub(super) fn lateness(&self, deadline: &Deadline) -> Option<String> {
        let name = |group: &u32| &*self.model.problem.groups[*group as usize].name;
        let named: Vec<&str> = deadline.late.iter().take(NAMED).map(name).collect();
        let more = match deadline.late.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!named.is_empty()).then(|| {
            format!(
                "the plan ends {:.0} s after the deadline {}; too late are {}{more}",
                -deadline.spare_s,
                deadline.time,
                named.join(", "),
            )
        })
    }
}
