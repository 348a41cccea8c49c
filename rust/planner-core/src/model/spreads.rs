//! How long a move takes, not as one number but as a distribution.
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
    /// The spread of a rule of thumb: the standard deviation of the logarithm.
    pub supposed: f64,
    /// What runs before saw, by workload (`cluster/namespace/kind/name`) and kind of move.
    pub seen: BTreeMap<Box<str>, BTreeMap<Box<str>, Seen>>,
}

/// Moves of one kind of one workload, as runs before saw them.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Seen {
    /// Half of the moves take no longer, milliseconds.
    pub median_ms: f64,
    /// The standard deviation of the logarithm.
    pub spread: f64,
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
    /// No move takes less, milliseconds.
    pub least_ms: f64,
}

impl Spreads {
    /// The distribution of a move of a workload, and whether runs before saw it.
    #[must_use]
    pub fn of(&self, workload: &Workload<'_>, kind: Kind) -> (Spread, bool) {
        let available_ms = f64::from(workload.min_ready_s) * 1000.0;
        let seen = self.seen.get(&*workload.place());
        if let Some(seen) = seen.and_then(|it| it.get(kind.text())) {
            let spread = Spread {
                fixed_ms: 0.0,
                median_ms: seen.median_ms,
                spread: seen.spread,
                least_ms: available_ms,
            };
            return (spread, true);
        }
        let rule = rule(workload, kind);
        let spread = Spread {
            fixed_ms: available_ms + rule.grace_ms as f64,
            median_ms: rule.start_ms as f64,
            spread: self.supposed,
            least_ms: 0.0,
        };
        (spread, false)
    }
}

impl Spread {
    /// How long a move takes that lies so many standard deviations above the median, milliseconds.
    #[must_use]
    pub fn ms(&self, deviations: f64) -> f64 {
        let varies_ms = self.median_ms * (self.spread * deviations).exp();
        (self.fixed_ms + varies_ms).max(self.least_ms)
    }
}
