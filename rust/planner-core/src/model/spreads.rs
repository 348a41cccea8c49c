//! How long a move takes, not as one number but as a distribution.
//!
//! Moves differ from each other, and what is known of all moves of a workload may be off: the
//! latter is drawn once for a whole plan, so that many waves do not make up for it.
//!
//! Times are log-normal, as the times of activities in projects are (Trietsch, Mazmanyan,
//! Gevorgyan and Baker, European Journal of Operational Research 216, 2012).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::durations::rule;
use crate::{diff::Kind, kube::workload::Workload};

/// What is known of how long moves take.
#[derive(Clone, Debug, Deserialize)]
pub struct Spreads {
    /// Of rules of thumb: the standard deviation of the logarithm of a move, and of what all of
    /// them are off by together.
    pub supposed: f64,
    /// What runs before saw, by workload (`cluster/namespace/kind/name`) and kind of move.
    pub seen: BTreeMap<Box<str>, BTreeMap<Box<str>, Seen>>,
}

/// Moves of one kind of one workload, as runs before saw them.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Seen {
    /// Half of the moves take no longer, milliseconds.
    pub median_ms: f64,
    /// The standard deviation of the logarithm of a move.
    pub spread: f64,
    /// The standard error of the logarithm of the median.
    pub off: f64,
}

/// How long one move takes: some time that does not vary, and some that is log-normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// What does not vary, milliseconds.
    pub fixed_ms: f64,
    /// The median of what varies, milliseconds.
    pub median_ms: f64,
    /// The standard deviation of its logarithm.
    pub spread: f64,
    /// The standard deviation of what the logarithm of the median is off by.
    pub off: f64,
    /// No move takes less, milliseconds.
    pub least_ms: f64,
}

impl Spreads {
    /// The distribution of a move of a workload, and whether runs before saw it; `start_ms` as
    /// [`Starts::ms`](super::starts::Starts::ms) has it.
    #[must_use]
    pub(crate) fn of(
        &self,
        workload: &Workload<'_>,
        kind: Kind,
        start_ms: Option<u64>,
    ) -> (Spread, bool) {
        let available_ms = f64::from(workload.min_ready_s) * 1000.0;
        let seen = self.seen.get(&*workload.place());
        if let Some(seen) = seen.and_then(|it| it.get(kind.text())) {
            let spread = Spread {
                fixed_ms: 0.0,
                median_ms: seen.median_ms,
                spread: seen.spread,
                off: seen.off,
                least_ms: available_ms,
            };
            return (spread, true);
        }
        let rule = rule(workload, kind, start_ms);
        let spread = Spread {
            fixed_ms: available_ms + rule.grace_ms as f64,
            median_ms: rule.start_ms as f64,
            spread: self.supposed,
            off: self.supposed,
            least_ms: 0.0,
        };
        (spread, false)
    }
}

impl Spread {
    /// How long a move takes, milliseconds: it lies so many standard deviations above the median,
    /// and that so many above what is known of it.
    #[must_use]
    pub fn ms(&self, above: f64, off: f64) -> f64 {
        let varies_ms = self.median_ms * (self.spread * above + self.off * off).exp();
        (self.fixed_ms + varies_ms).max(self.least_ms)
    }
}
