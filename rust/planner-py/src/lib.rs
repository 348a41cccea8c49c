//! The Python border of `planner-core`: a list of exports. Translates, never decides.
#![deny(unsafe_code)]

mod arrow;
mod batch;
mod error;
mod fleet;
mod observe;
mod plan;
mod run;

#[pyo3::pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::{
        batch::PyBatch,
        fleet::{PyFleet, PyPods, fold},
        observe::{PyFeed, PyIntake, redact},
        plan::{PyPlan, diff, plan, status},
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
