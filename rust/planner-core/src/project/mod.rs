//! Projects: activities that take time over resources of constant capacity, as short as possible.
//!
//! ```text
//! network:  project -> network, checked and laid flat
//! bound:    no schedule of a network is shorter
//! generate: priorities -> schedule, from either end
//! justify:  schedule -> schedule that is at most as long
//! solve:    the best of so many schedules, by a genetic algorithm, against the bound
//! ```
//! The classical problem behind [`crate::schedule`], without its waves, and the one by which the
//! literature compares algorithms. Nothing here knows Kubernetes.
//!
//! **Counting schedules.** Whoever publishes figures for PSPLIB says after how many schedules. As
//! Kolisch and Hartmann (European Journal of Operational Research 174, 2006) ask, one pass of the
//! schedule generation scheme over all activities is one schedule, whether it goes forward or
//! backward, and each of the two passes of a double justification is one as well. Nothing else
//! places activities here, so [`Solution::schedules`] counts all work that is done.

mod bound;
mod breed;
mod cross;
mod generate;
mod justify;
mod network;
pub mod problem;
mod profile;
mod run;
mod sample;
mod solve;

pub use bound::{Bound, bound};
pub use generate::{Schedule, generate};
pub use justify::justify;
pub use network::{Direction, Network};
pub use solve::{Solution, solve, solve_all};
