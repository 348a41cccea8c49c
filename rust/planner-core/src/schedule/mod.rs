//! The scheduling problem, its solution in waves, and the proof of how good it is.
//!
//! Nothing here knows Kubernetes: a problem is groups of cohorts over renewable resources.

pub mod problem;
