//! Status, diff and plan of a fleet.

use std::sync::Arc;

use planner_core::plan::{self as core, Draws, Order};
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyTuple, PyType},
};

use crate::{
    arrow::hand_over,
    fleet::PyFleet,
    run::{detached, tried},
};

/// A plan: a header and a table of moves.
#[pyclass(frozen, name = "Plan", module = "planner._core")]
pub struct PyPlan {
    pub inner: Arc<core::Plan>,
    written: PyOnceLock<Py<PyBytes>>,
}

impl From<core::Plan> for PyPlan {
    fn from(plan: core::Plan) -> Self {
        Self {
            inner: Arc::new(plan),
            written: PyOnceLock::new(),
        }
    }
}

#[pymethods]
impl PyPlan {
    #[classmethod]
    fn from_bytes(_cls: &Bound<'_, PyType>, py: Python<'_>, file: &[u8]) -> PyResult<Self> {
        tried(py, || core::Plan::from_bytes(file)).map(Self::from)
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        // A plan is kept in the log and written to a file: the same bytes, made once.
        let written = self.written.get_or_try_init(py, || {
            let bytes = tried(py, || self.inner.to_bytes())?;
            PyResult::Ok(PyBytes::new(py, &bytes).unbind())
        })?;
        Ok(written.bind(py).clone())
    }

    #[getter]
    fn id(&self) -> String {
        self.inner.id.clone()
    }

    fn header<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.inner.header.as_bytes())
    }

    fn jsonl<'py>(&self, py: Python<'py>, begin: usize, count: usize) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, || self.inner.jsonl(begin, count)))
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // The interface allows to ignore what was asked for.
        let _ = requested_schema;
        hand_over(py, &self.inner.moves)
    }

    fn __len__(&self) -> usize {
        self.inner.moves.num_rows()
    }
}

#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "pyo3 hands the extracted list over"
)]
#[expect(clippy::too_many_arguments, reason = "they are named in Python")]
#[pyo3(signature = (fleet, request, *, log_digest, version, durations, calendars, warnings, strict, starts, allowances))]
pub fn plan(
    py: Python<'_>,
    fleet: &PyFleet,
    request: &[u8],
    log_digest: &str,
    version: &str,
    durations: &[u8],
    calendars: &[u8],
    warnings: Vec<String>,
    strict: bool,
    starts: u32,
    allowances: &[u8],
) -> PyResult<PyPlan> {
    let order = Order {
        request,
        log_digest,
        version,
        durations,
        calendars,
        allowances,
        warnings: &warnings,
        strict,
        starts,
    };
    tried(py, || core::plan(&fleet.inner, &order)).map(PyPlan::from)
}

#[pyfunction]
pub fn diff<'py>(
    py: Python<'py>,
    fleet: &PyFleet,
    request: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let report = tried(py, || core::diff_report(&fleet.inner, request))?;
    Ok(PyBytes::new(py, report.to_string().as_bytes()))
}

/// What one unit more of something would save a plan.
#[pyclass(frozen, name = "Bottlenecks", module = "planner._core")]
pub struct PyBottlenecks {
    inner: core::Bottlenecks,
}

#[pymethods]
impl PyBottlenecks {
    #[new]
    #[pyo3(signature = (fleet, request, *, durations, calendars))]
    fn new(
        py: Python<'_>,
        fleet: &PyFleet,
        request: &[u8],
        durations: &[u8],
        calendars: &[u8],
    ) -> PyResult<Self> {
        let made = tried(py, || {
            core::Bottlenecks::of(&fleet.inner, request, durations, calendars)
        });
        made.map(|inner| Self { inner })
    }

    fn head<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.inner.head().as_bytes())
    }

    fn solve<'py>(&self, py: Python<'py>, begin: usize, count: usize) -> Bound<'py, PyBytes> {
        let found = detached(py, || self.inner.solve(begin, count));
        PyBytes::new(py, found.as_bytes())
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }
}

#[pyfunction]
pub fn lint<'py>(
    py: Python<'py>,
    fleet: &PyFleet,
    request: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let found = tried(py, || planner_core::lint::lint(&fleet.inner, request))?;
    Ok(PyBytes::new(py, found.as_bytes()))
}

#[pyfunction]
pub fn compare<'py>(
    py: Python<'py>,
    before: &PyPlan,
    after: &PyPlan,
) -> PyResult<Bound<'py, PyBytes>> {
    let report = tried(py, || core::compare(&before.inner, &after.inner))?;
    Ok(PyBytes::new(py, report.as_bytes()))
}

#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are named in Python")]
#[pyo3(signature = (fleet, plan, *, spreads, durations, calendars, samples, seed))]
pub fn eta<'py>(
    py: Python<'py>,
    fleet: &PyFleet,
    plan: &PyPlan,
    spreads: &[u8],
    durations: &[u8],
    calendars: &[u8],
    samples: u32,
    seed: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let of = Draws {
        spreads,
        durations,
        calendars,
        samples,
        seed,
    };
    let drawn = tried(py, || core::eta(&fleet.inner, &plan.inner, &of))?;
    Ok(PyBytes::new(py, drawn.as_bytes()))
}

#[pyfunction]
pub fn status<'py>(py: Python<'py>, fleet: &PyFleet) -> Bound<'py, PyBytes> {
    let report = detached(py, || planner_core::status::status(&fleet.inner));
    PyBytes::new(py, report.to_string().as_bytes())
}
