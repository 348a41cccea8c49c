//! Status, diff and plan of a fleet.

use std::sync::Arc;

use arrow_array::RecordBatch;
use planner_core::plan::{self, Order};
use pyo3::{prelude::*, types::PyBytes};
use pyo3_arrow::PyRecordBatch;

use crate::{error::to_py, fleet::PyFleet, run::detached};

/// A plan: a header and a table of moves.
#[pyclass(frozen, name = "Plan", module = "planner._core")]
pub struct PyPlan {
    inner: Arc<plan::Plan>,
}

#[pymethods]
impl PyPlan {
    #[staticmethod]
    fn from_bytes(py: Python<'_>, file: &[u8]) -> PyResult<Self> {
        let read = detached(py, || plan::Plan::from_bytes(file));
        Ok(Self { inner: Arc::new(read.map_err(to_py)?) })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = detached(py, || self.inner.to_bytes());
        Ok(PyBytes::new(py, &bytes.map_err(to_py)?))
    }

    #[getter]
    fn id(&self) -> String {
        self.inner.header["id"].as_str().unwrap_or_default().to_owned()
    }

    fn header<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.inner.header.to_string().as_bytes())
    }

    fn jsonl<'py>(&self, py: Python<'py>, begin: usize, count: usize) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, || self.inner.jsonl(begin, count)))
    }

    fn moves(&self) -> PyRecordBatch {
        PyRecordBatch::new(RecordBatch::clone(&self.inner.moves))
    }

    fn __len__(&self) -> usize {
        self.inner.moves.num_rows()
    }
}

#[pyfunction]
#[pyo3(signature = (fleet, request, *, log_digest, version, warnings, strict))]
pub fn plan_fleet(
    py: Python<'_>,
    fleet: &PyFleet,
    request: &[u8],
    log_digest: &str,
    version: &str,
    warnings: Vec<String>,
    strict: bool,
) -> PyResult<PyPlan> {
    let order = Order { request, log_digest, version, warnings: &warnings, strict };
    let made = detached(py, || plan::plan(&fleet.inner, &order));
    Ok(PyPlan { inner: Arc::new(made.map_err(to_py)?) })
}

#[pyfunction]
pub fn diff<'py>(
    py: Python<'py>,
    fleet: &PyFleet,
    request: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let report = detached(py, || plan::diff_report(&fleet.inner, request));
    Ok(PyBytes::new(py, report.map_err(to_py)?.to_string().as_bytes()))
}

#[pyfunction]
pub fn status<'py>(py: Python<'py>, fleet: &PyFleet) -> Bound<'py, PyBytes> {
    let report = detached(py, || planner_core::status::status(&fleet.inner));
    PyBytes::new(py, report.to_string().as_bytes())
}
