//! The scheduling problem, its solution in waves, and the proof of how good it is.
//!
//! ```text
//! reachable: problem -> moves that can ever be done, and what blocks the rest
//! bound:     the fewest waves and the least time for these moves, with a proof
//! solve:     waves by several priority rules, the best of them against the bound
//! conflict:  left-overs -> a smallest set of constraints that rules them out
//! ```
//! Nothing here knows Kubernetes: a problem is groups of cohorts over renewable resources
//! (a resource-constrained project scheduling problem whose time is waves).

mod between;
mod bound;
mod calendar;
mod chains;
mod cohorts;
mod conflict;
mod edge;
mod flat;
mod gangs;
mod joins;
mod laid;
mod load;
mod pace;
mod phase_bound;
mod phases;
mod priority;
pub mod problem;
mod proof;
mod rates;
mod reach;
mod recovering;
mod replay;
mod rows;
mod search;
mod solution;
mod streaming;
mod timed_bound;
mod waves;

pub use between::Between;
pub use bound::{Bound, bound};
pub use calendar::{Open, holds};
pub(crate) use calendar::{closes, first_fit, intersection};
pub use conflict::{ConstraintId, Goal, conflict};
pub use laid::Laid;
pub use proof::{Begun, ChainLink, Edge, PhasePart, Proof, Room, Unit};
pub(crate) use rates::begun_ms;
pub use reach::{Blocker, Left, Reachable, reachable};
pub use replay::Held;
pub use solution::{Chunk, Paced, Schedule, solve, solve_laid};
pub use streaming::{Gone, Leg, Rehearsal, Run, Streaming};
