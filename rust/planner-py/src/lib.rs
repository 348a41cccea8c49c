//! The Python border of `planner-core`: a list of exports. Translates, never decides.
#![deny(unsafe_code)]

mod arrow;
mod batch;
mod checkpoint;
mod error;
mod fleet;
mod observe;
mod plan;
mod project;
mod run;

/// A plan makes and drops millions of small lists; the allocator of the C library takes a quarter
/// of its time for them (docs/decisions/0004-cost-of-a-plan.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pyo3::pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::{
        batch::PyBatch,
        checkpoint::{checkpoint, images},
        fleet::{PyFleet, PyPods, fold},
        observe::{PyFeed, PyIntake, redact},
        plan::{PyBottlenecks, PyPlan, compare, diff, eta, lint, plan, status},
        project::{PyProject, PySchedule, solve},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let profile = if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        };
        module.add("BUILD_PROFILE", profile)?;
        module.add("CODEC", planner_core::batch::CODEC)
    }
}
