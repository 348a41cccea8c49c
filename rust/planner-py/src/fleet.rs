//! The folded fleet.

use std::sync::Arc;

use planner_core::{fleet::Fleet, fold};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyType},
};

use crate::{
    batch::PyBatch,
    run::{detached, tried},
};

/// The fleet at one position of the log.
#[pyclass(frozen, name = "Fleet", module = "planner._core")]
pub struct PyFleet {
    pub inner: Arc<Fleet>,
}

#[pymethods]
impl PyFleet {
    #[classmethod]
    fn empty(_cls: &Bound<'_, PyType>) -> Self {
        Self { inner: Arc::default() }
    }

    #[classmethod]
    fn from_bytes(_cls: &Bound<'_, PyType>, py: Python<'_>, snapshot: &[u8]) -> PyResult<Self> {
        let fleet = tried(py, || Fleet::from_bytes(snapshot))?;
        Ok(Self { inner: Arc::new(fleet) })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, || self.inner.to_bytes()))
    }

    #[getter]
    fn position(&self) -> u64 {
        self.inner.position
    }

    #[getter]
    fn now_ms(&self) -> i64 {
        self.inner.now_ms
    }

    #[getter]
    fn bytes(&self) -> usize {
        self.inner.bytes()
    }

    fn digest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, || self.inner.digest()))
    }
}

#[pyfunction]
#[pyo3(name = "fold")]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 hands the extracted list over")]
pub fn fold(
    py: Python<'_>,
    fleet: &PyFleet,
    events: Vec<(String, u64, PyRef<'_, PyBatch>)>,
) -> PyResult<PyFleet> {
    let batches: Vec<_> =
        events.iter().map(|(cluster, first, batch)| (cluster.as_str(), *first, &batch.inner)).collect();
    let folded = tried(py, || {
        let start = Fleet::clone(&fleet.inner);
        batches.iter().try_fold(start, |fleet, (cluster, first, batch)| {
            fold::fold(fleet, cluster, *first, batch)
        })
    })?;
    Ok(PyFleet { inner: Arc::new(folded) })
}
