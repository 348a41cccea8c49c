//! What a run of a plan has to know before its next step, and on its way back.

use planner_core::{checkpoint as core, plan::PlanError};
use pyo3::{prelude::*, types::PyBytes};

use crate::{fleet::PyFleet, run::tried};

#[pyfunction]
#[pyo3(signature = (fleet, request, question, *, now_ms))]
pub fn checkpoint<'py>(
    py: Python<'py>,
    fleet: &PyFleet,
    request: &[u8],
    question: &[u8],
    now_ms: i64,
) -> PyResult<Bound<'py, PyBytes>> {
    let answer = tried(py, || {
        let unread = |error: serde_json::Error| PlanError::Request(error.to_string());
        let question = serde_json::from_slice(question).map_err(unread)?;
        let answer = core::checkpoint(&fleet.inner, request, &question, now_ms)?;
        serde_json::to_vec(&answer).map_err(unread)
    })?;
    Ok(PyBytes::new(py, &answer))
}

#[pyfunction]
pub fn images<'py>(py: Python<'py>, fleet: &PyFleet) -> PyResult<Bound<'py, PyBytes>> {
    let images = tried(py, || {
        let images = core::images::images(&fleet.inner);
        serde_json::to_vec(&images).map_err(|error| PlanError::Request(error.to_string()))
    })?;
    Ok(PyBytes::new(py, &images))
}
