//! The rules of Kubernetes and `OpenKruise` over whole documents and pod columns.

mod fixture;
mod labels;
mod order;
mod revision;
mod sidecar;
mod state;
mod strategy;
