//! What became different from one plan to another: figures, moves, budgets, dependencies.
//!
//! Comparing two plans of a million moves reads columns, and of the headers only what is shown.

mod changes;
mod header;
mod lists;
mod moves;

use serde::Serialize;

use self::{
    changes::{Changes, Totals, Workload},
    header::{Header, Side},
    lists::{Budget, Dependency, Unmovable, Warnings},
    moves::Tables,
};
use super::{Plan, PlanError};

/// A value in both plans; absent in the one that has no such thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(super) struct Both<T> {
    before: Option<T>,
    after: Option<T>,
}

impl<T> Default for Both<T> {
    fn default() -> Self {
        Self {
            before: None,
            after: None,
        }
    }
}

impl<T: Copy> Both<T> {
    fn map<U>(self, of: impl Fn(T) -> U) -> Both<U> {
        Both {
            before: self.before.map(&of),
            after: self.after.map(&of),
        }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    before: &'a Side<'a>,
    after: &'a Side<'a>,
    moves: Totals,
    workloads: Vec<Workload<'a>>,
    budgets: Vec<Budget<'a>>,
    dependencies: Vec<Dependency<'a>>,
    unmovable: Unmovable<'a>,
    warnings: Warnings<'a>,
}

/// What became different from one plan to another, as JSON. Moves are told apart by the cluster
/// and the uid of their pod, workloads by their name, budgets by their name within their cluster.
pub fn compare(before: &Plan, after: &Plan) -> Result<String, PlanError> {
    let (one, other) = rayon::join(|| Header::of(before), || Header::of(after));
    let (one, other) = (one?, other?);
    let tables = Tables::of([&before.moves, &after.moves], [&one, &other]);
    let (changes, lists) = rayon::join(
        || Changes::of(&tables),
        || {
            (
                lists::budgets(&one, &other),
                lists::dependencies(&one, &other),
                lists::unmovable(&one, &other),
                lists::warnings(&one, &other),
            )
        },
    );
    let (budgets, dependencies, unmovable, warnings) = lists;
    let report = Report {
        moves: changes.totals(),
        workloads: changes.workloads(),
        budgets,
        dependencies,
        unmovable,
        warnings,
        before: &one.side,
        after: &other.side,
    };
    Ok(serde_json::to_string(&report).expect("a report is JSON"))
}
