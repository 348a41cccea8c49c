//! Projects, and their schedules.

use planner_core::project::{
    Network, Solution,
    problem::{Activity, Demand, Precedence, Project, ProjectError},
    solve_all,
};
use pyo3::prelude::*;

use crate::{
    error::ToPy,
    run::{detached, tried},
};

/// A checked project.
#[pyclass(frozen, name = "Project", module = "planner._core")]
pub struct PyProject {
    network: Network,
}

#[pymethods]
impl PyProject {
    #[new]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "pyo3 hands the extracted lists over"
    )]
    #[pyo3(signature = (*, durations, demands, capacities, before, after))]
    fn new(
        py: Python<'_>,
        durations: Vec<u32>,
        demands: Vec<u32>,
        capacities: Vec<u32>,
        before: Vec<u32>,
        after: Vec<u32>,
    ) -> PyResult<Self> {
        let rows = durations.len() * capacities.len();
        same_length("demands", demands.len(), rows)?;
        same_length("after", after.len(), before.len())?;
        let demanded = |activity: usize| {
            let begin = activity * capacities.len();
            let row = (0..).zip(&demands[begin..begin + capacities.len()]);
            let taken = row.filter(|&(_, &units)| units > 0);
            taken.map(|(resource, &units)| Demand { resource, units })
        };
        let project = Project {
            activities: (0..)
                .zip(&durations)
                .map(|(activity, &duration)| Activity {
                    duration,
                    demands: demanded(activity).collect(),
                })
                .collect(),
            precedences: std::iter::zip(before, after)
                .map(|(before, after)| Precedence { before, after })
                .collect(),
            capacities: capacities.clone(),
        };
        let network = tried(py, || Network::of(&project))?;
        Ok(Self { network })
    }

    fn __len__(&self) -> usize {
        self.network.activities()
    }
}

fn same_length(what: &'static str, found: usize, wanted: usize) -> PyResult<()> {
    if found == wanted {
        return Ok(());
    }
    Err(ProjectError::Length {
        what,
        found,
        wanted,
    }
    .to_py())
}

/// A schedule of a project and how good it is.
#[pyclass(frozen, name = "Schedule", module = "planner._core")]
pub struct PySchedule {
    inner: Solution,
}

#[pymethods]
impl PySchedule {
    #[getter]
    fn starts(&self) -> Vec<u32> {
        self.inner.schedule.starts.clone()
    }

    #[getter]
    fn makespan(&self) -> u32 {
        self.inner.schedule.makespan
    }

    #[getter]
    fn bound(&self) -> u32 {
        self.inner.bound.makespan()
    }

    #[getter]
    fn schedules(&self) -> u64 {
        self.inner.schedules
    }
}

#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "pyo3 hands the extracted list over"
)]
#[pyo3(signature = (projects, *, schedules, seed))]
pub fn solve(
    py: Python<'_>,
    projects: Vec<PyRef<'_, PyProject>>,
    schedules: u64,
    seed: u64,
) -> Vec<PySchedule> {
    let networks: Vec<&Network> = projects.iter().map(|project| &project.network).collect();
    let solutions = detached(py, || solve_all(&networks, schedules, seed));
    let each = solutions.into_iter();
    each.map(|inner| PySchedule { inner }).collect()
}
