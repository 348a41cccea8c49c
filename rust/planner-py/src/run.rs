//! The one way to call the core: detached from the interpreter, errors mapped.

use pyo3::prelude::*;

use crate::error::ToPy;

/// Runs `call` while other Python threads go on.
pub fn detached<T: Send>(py: Python<'_>, call: impl FnOnce() -> T + Send) -> T {
    py.detach(call)
}

/// Runs a call that can fail; its error becomes the exception of `planner.errors`.
pub fn tried<T: Send, E: ToPy + Send>(
    py: Python<'_>,
    call: impl FnOnce() -> Result<T, E> + Send,
) -> PyResult<T> {
    detached(py, call).map_err(ToPy::to_py)
}
