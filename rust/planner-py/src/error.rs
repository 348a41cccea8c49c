//! Errors of the core as exceptions of `planner.errors`.

use planner_core::{
    error::{CodecError, InputError, OrderError},
    plan::PlanError,
    project::problem::ProjectError,
};
use pyo3::{PyErr, import_exception};

mod python {
    use super::import_exception;

    import_exception!(planner.errors, CodecError);
    import_exception!(planner.errors, InfeasibleError);
    import_exception!(planner.errors, InputError);
    import_exception!(planner.errors, ObservationError);
    import_exception!(planner.errors, UsageError);
}

/// An error with its exception.
pub trait ToPy {
    /// The exception.
    fn to_py(self) -> PyErr;
}

impl ToPy for InputError {
    fn to_py(self) -> PyErr {
        python::InputError::new_err((self.source, self.offset, self.message))
    }
}

impl ToPy for CodecError {
    fn to_py(self) -> PyErr {
        python::CodecError::new_err(self.0)
    }
}

impl ToPy for OrderError {
    fn to_py(self) -> PyErr {
        python::ObservationError::new_err(self.to_string())
    }
}

impl ToPy for PlanError {
    fn to_py(self) -> PyErr {
        match self {
            Self::Infeasible {
                reason,
                conflict,
                remedy,
            } => python::InfeasibleError::new_err((reason, conflict, remedy)),
            Self::Codec(_) | Self::Request(_) => python::UsageError::new_err(self.to_string()),
        }
    }
}

impl ToPy for ProjectError {
    fn to_py(self) -> PyErr {
        python::UsageError::new_err(self.to_string())
    }
}
