//! The folded fleet.

use std::sync::Arc;

use arrow_array::RecordBatch;
use planner_core::{
    fleet::Fleet,
    fold::Folding,
    snapshot::{from_snapshot, to_snapshot},
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyTuple, PyType},
};

use crate::{
    arrow::hand_over,
    batch::PyBatch,
    plan::PyPlan,
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
        Self {
            inner: Arc::default(),
        }
    }

    #[classmethod]
    fn from_bytes(_cls: &Bound<'_, PyType>, py: Python<'_>, snapshot: &[u8]) -> PyResult<Self> {
        let fleet = tried(py, || from_snapshot(snapshot))?;
        Ok(Self {
            inner: Arc::new(fleet),
        })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, || to_snapshot(&self.inner)))
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
    fn memory_bytes(&self) -> usize {
        self.inner.bytes()
    }

    #[pyo3(signature = (plan, *, waves))]
    fn after(&self, py: Python<'_>, plan: &PyPlan, waves: u32) -> PyResult<Self> {
        let after = tried(py, || {
            planner_core::plan::after(&self.inner, &plan.inner, waves)
        })?;
        Ok(Self {
            inner: Arc::new(after),
        })
    }

    /// The pods that exist as a table.
    fn pods(&self) -> PyPods {
        PyPods {
            inner: self.inner.pods_table(),
        }
    }

    fn cluster_digest<'py>(&self, py: Python<'py>, cluster: &str) -> Option<Bound<'py, PyBytes>> {
        let digest = detached(py, || self.inner.cluster_digest(cluster))?;
        Some(PyBytes::new(py, &digest))
    }

    fn digest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, || self.inner.digest()))
    }
}

/// The pods of a fleet as columns.
#[pyclass(frozen, name = "Pods", module = "planner._core")]
pub struct PyPods {
    inner: RecordBatch,
}

#[pymethods]
impl PyPods {
    fn __len__(&self) -> usize {
        self.inner.num_rows()
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // The interface allows to ignore what was asked for.
        let _ = requested_schema;
        hand_over(py, &self.inner)
    }
}

#[pyfunction]
pub fn fold(py: Python<'_>, fleet: &PyFleet, events: &Bound<'_, PyAny>) -> PyResult<PyFleet> {
    let mut folding = Folding::of(Fleet::clone(&fleet.inner));
    for event in events.try_iter()? {
        let (cluster, first, batch): (String, u64, PyRef<'_, PyBatch>) = event?.extract()?;
        let rows = &batch.inner;
        folding = tried(py, || folding.add(&cluster, first, rows))?;
    }
    Ok(PyFleet {
        inner: Arc::new(detached(py, || folding.finish())),
    })
}
