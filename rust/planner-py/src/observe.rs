//! Raw bytes of the Kubernetes API in, batches out.

use std::collections::BTreeMap;

use planner_core::observe::{Feed, Intake, Salt};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};

use crate::{
    batch::PyBatch,
    run::{detached, tried},
};

/// Collects what was recorded of one cluster.
#[pyclass(name = "Intake", module = "planner._core")]
pub struct PyIntake {
    inner: Intake,
}

#[pymethods]
impl PyIntake {
    #[new]
    #[pyo3(signature = (*, salt, partial = false))]
    fn new(salt: &[u8], partial: bool) -> PyResult<Self> {
        Ok(Self {
            inner: Intake::new(salt_of(salt)?, partial),
        })
    }

    fn add(&mut self, py: Python<'_>, source: &str, text: &[u8]) -> PyResult<()> {
        let inner = &mut self.inner;
        tried(py, || inner.add(source, text))
    }

    fn finish(&self, py: Python<'_>) -> PyResult<Vec<PyBatch>> {
        let batches = tried(py, || self.inner.finish())?;
        Ok(batches.into_iter().map(PyBatch::from).collect())
    }

    #[getter]
    fn skipped(&self) -> BTreeMap<String, u64> {
        self.inner.skipped().clone()
    }
}

/// Collects what a live cluster sends.
#[pyclass(name = "Feed", module = "planner._core")]
pub struct PyFeed {
    inner: Feed,
}

#[pymethods]
impl PyFeed {
    #[new]
    #[pyo3(signature = (*, salt))]
    fn new(salt: &[u8]) -> PyResult<Self> {
        Ok(Self {
            inner: Feed::new(salt_of(salt)?),
        })
    }

    #[pyo3(signature = (source, text, *, time_ms, begins = false))]
    fn add(
        &mut self,
        py: Python<'_>,
        source: &str,
        text: &[u8],
        time_ms: i64,
        begins: bool,
    ) -> PyResult<()> {
        let inner = &mut self.inner;
        tried(py, || inner.add(source, text, time_ms, begins))
    }

    fn finish(&self, py: Python<'_>) -> Vec<PyBatch> {
        let batches = detached(py, || self.inner.finish());
        batches.into_iter().map(PyBatch::from).collect()
    }

    #[getter]
    fn skipped(&self) -> BTreeMap<String, u64> {
        self.inner.skipped().clone()
    }
}

#[pyfunction]
pub fn redact<'py>(py: Python<'py>, document: &[u8], salt: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let salt = salt_of(salt)?;
    let redacted = planner_core::observe::redact(document, &salt)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, redacted.as_bytes()))
}

fn salt_of(bytes: &[u8]) -> PyResult<Salt> {
    let salt = bytes
        .try_into()
        .map_err(|_| PyValueError::new_err("a salt has 32 bytes"))?;
    Ok(Salt(salt))
}
