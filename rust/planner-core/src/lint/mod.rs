//! What of a request does nothing in this fleet, or blocks what it was not meant to block.
//!
//! Judged by the problem that the request poses, never by a schedule: what is found holds for
//! every plan of it.

mod budgets;
mod dependencies;
mod sequences;
mod stages;

use serde::Serialize;

use crate::{
    diff::{Diff, diff},
    fleet::Fleet,
    inventory::Inventory,
    model::{Ledger, Model, pose_without_stages},
    plan::PlanError,
    request::Request,
    schedule::reachable,
};

/// Something that a request says to no effect, or to more than was meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    /// Names the sort, for programs.
    rule: &'static str,
    /// Where in the spec of the request, for example `budgets.fleet`.
    path: String,
    /// What is so.
    message: String,
    /// What to write instead.
    remedy: String,
}

/// A request, and what it comes to in a fleet.
struct Posed<'a> {
    inventory: &'a Inventory<'a>,
    request: &'a Request,
    changes: &'a Diff,
    model: &'a Model,
}

/// Everything that is found in a request (canonical JSON) for a fleet, as a JSON list.
pub fn lint(fleet: &Fleet, request: &[u8]) -> Result<String, PlanError> {
    let request: Request =
        serde_json::from_slice(request).map_err(|error| PlanError::Request(error.to_string()))?;
    let inventory = Inventory::new(fleet, &request.spec.target.manifests);
    let (mut changes, ledger) = rayon::join(
        || diff(&inventory, &request),
        || Ledger::of(&inventory, &request),
    );
    let mut found: Vec<Finding> = changes.warnings.drain(..).map(Finding::of_target).collect();
    let pods = ledger.pods_by_resource();
    let matched = ledger.matched(&request);
    let model = pose_without_stages(ledger, &request, &mut changes);
    let reached = reachable(&model.problem);
    let posed = Posed {
        inventory: &inventory,
        request: &request,
        changes: &changes,
        model: &model,
    };
    found.extend(posed.dependencies());
    found.extend(posed.sequences(&reached.left));
    found.extend(posed.budgets(&pods));
    found.extend(posed.stages(&reached.moves));
    found.extend(posed.exclusions(&matched));
    Ok(serde_json::to_string(&found).expect("texts are JSON"))
}

impl Finding {
    /// What the comparison of pods and target says by itself.
    fn of_target(message: String) -> Self {
        Self {
            rule: "target",
            path: "target".to_owned(),
            message,
            remedy: "see what it names, or take it out".to_owned(),
        }
    }
}

impl Posed<'_> {
    /// Exclusions that match no pod, or none that would move.
    fn exclusions(&self, matched: &[Vec<(u32, u32)>]) -> Vec<Finding> {
        let excluded = self
            .changes
            .unmovable
            .iter()
            .filter(|pod| pod.is_left_out());
        let differ: std::collections::BTreeSet<(u32, u32)> =
            excluded.map(|pod| (pod.cluster, pod.row)).collect();
        let mut found = Vec::new();
        for (at, rows) in matched.iter().enumerate() {
            let path = format!("exclude.{at}");
            let remedy = "mend its selector, or take it out".to_owned();
            if rows.is_empty() {
                found.push(Finding {
                    rule: "matches-nothing",
                    path,
                    message: "its selector matches no pod".to_owned(),
                    remedy,
                });
            } else if !rows.iter().any(|row| differ.contains(row)) {
                found.push(Finding {
                    rule: "excludes-nothing",
                    path,
                    message: format!(
                        "none of the {} pods that it matches differs from the target",
                        rows.len()
                    ),
                    remedy,
                });
            }
        }
        found
    }
}
