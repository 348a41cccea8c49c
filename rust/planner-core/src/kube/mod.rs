//! The rules of Kubernetes and `OpenKruise`, as pure functions over redacted documents and pod
//! columns.
//!
//! ```text
//! scaled, selector, labels      numbers and label selectors
//! workload, strategy            what a workload's controller may do at once
//! owner, revision, template     whose pod it is, and what it runs
//! inplace                       how it can change
//! budget, sidecar               budgets over pods, sidecars inside pods
//! pod, parsed, state            what one pod is and whether it serves
//! node, asking, placing         what room there is for pods, and for which
//! quota, scope                  what pods of a namespace may ask for together, and which
//! order, priority, scatter      which pod is next
//! held                          what a run of a plan holds, read as its owner wrote it
//! ```
//!
//! Where a rule comes from is said at the rule, by the function of Kubernetes or `OpenKruise` that
//! decides it.

pub mod asking;
pub mod budget;
pub mod held;
pub mod inplace;
pub mod labels;
pub mod node;
pub mod order;
pub mod owner;
pub mod parsed;
mod partial;
pub mod placing;
pub mod pod;
pub mod priority;
pub mod quota;
pub mod revision;
pub mod scaled;
pub mod scatter;
pub mod scope;
pub mod selector;
pub mod sidecar;
pub mod state;
pub mod strategy;
pub mod template;
pub mod workload;
