//! Whose pod it is.

use std::{borrow::Cow, collections::BTreeMap};

use rayon::prelude::*;
use serde::Deserialize;

use super::workload::Workload;
use crate::{
    fleet::{Cluster, Fleet},
    resource::Resource,
};

/// The workload that a pod belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The pod has no controller; nobody makes it anew.
    None,
    /// A workload whose pods the planner can move: its resource and uid.
    Workload(Resource, u128),
    /// Something else, by its kind: a Job, a bare `ReplicaSet`, a custom kind.
    Unsupported(Box<str>),
}

/// The owners of the pods of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    /// Controllers of `ReplicaSets`, by the uid of the set.
    deployments: BTreeMap<u128, u128>,
}

impl Owners {
    /// Reads which Deployment each `ReplicaSet` of the cluster belongs to.
    #[must_use]
    pub fn of(fleet: &Fleet, cluster: &Cluster) -> Self {
        let sets = cluster.objects.get(&Resource::ReplicaSets);
        let sets: Vec<_> = sets.into_iter().flatten().collect();
        let deployments = sets.into_par_iter().filter_map(|(set, object)| {
            let document: Controlled<'_> = serde_json::from_str(fleet.document(object)).ok()?;
            Some((*set, deployment_of(&document.metadata)?))
        });
        let deployments: Vec<_> = deployments.collect();
        Self {
            deployments: deployments.into_iter().collect(),
        }
    }

    /// Resolves a pod's column `owner`: `group|kind|name|uid`, or empty.
    #[must_use]
    pub fn resolve(&self, owner: &str) -> Owner {
        let mut parts = owner.split('|');
        let (Some(group), Some(kind), Some(_name), Some(id)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Owner::None;
        };
        let unsupported = || Owner::Unsupported(kind.into());
        let Some(id) = uid(id) else {
            return unsupported();
        };
        let of_group = |resource: &Resource| resource.group() == group && resource.kind() == kind;
        if of_group(&Resource::ReplicaSets) {
            let deployment = self.deployments.get(&id);
            return deployment.map_or_else(unsupported, |it| {
                Owner::Workload(Resource::Deployments, *it)
            });
        }
        let workload = Workload::RESOURCES.into_iter().find(of_group);
        workload.map_or_else(unsupported, |resource| Owner::Workload(resource, id))
    }
}

/// The uid of the Deployment that controls a `ReplicaSet`.
fn deployment_of(set: &Metadata<'_>) -> Option<u128> {
    let controller = set.controller()?;
    let group = controller.api_version.split_once('/')?.0;
    let is_deployment = group == "apps" && controller.kind == "Deployment";
    is_deployment.then(|| uid(&controller.uid)).flatten()
}

#[derive(Deserialize)]
struct Controlled<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

/// What of an object's metadata tells whose it is and which of several.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    owner_references: Option<Vec<Reference<'a>>>,
    #[serde(borrow)]
    pub creation_timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub labels: Option<HashLabel<'a>>,
}

/// The label of a `ReplicaSet` that its pods carry as well.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct HashLabel<'a> {
    #[serde(borrow)]
    pub pod_template_hash: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reference<'a> {
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    pub uid: Cow<'a, str>,
    controller: Option<bool>,
}

impl Metadata<'_> {
    /// The owner reference whose `controller` is true.
    pub fn controller(&self) -> Option<&Reference<'_>> {
        let references = self.owner_references.iter().flatten();
        references
            .into_iter()
            .find(|reference| reference.controller == Some(true))
    }
}

/// The number of a UUID in its usual form, 36 characters.
#[must_use]
pub fn uid(text: &str) -> Option<u128> {
    let hyphens = [8, 13, 18, 23];
    let mut number = 0;
    for (at, byte) in text.bytes().enumerate() {
        match char::from(byte).to_digit(16) {
            _ if hyphens.contains(&at) => (byte == b'-').then_some(())?,
            Some(digit) if at < 36 => number = number << 4 | u128::from(digit),
            _ => return None,
        }
    }
    (text.len() == 36).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{Owner, Owners, uid};
    use crate::{
        fleet::{Cluster, Fleet, Object},
        resource::Resource,
    };

    const SET: &str = "0cac15c4-8b09-48f0-af67-9989b524e946";
    const DEPLOYMENT: &str = "754af69c-daa3-495d-955b-b08e551a0624";

    fn owners() -> Owners {
        let document = format!(
            r#"{{"metadata": {{"ownerReferences": [{{"apiVersion": "apps/v1",
                "kind": "Deployment", "name": "auth", "uid": "{DEPLOYMENT}",
                "controller": true}}]}}}}"#
        );
        let mut fleet = Fleet::default();
        let set = Object {
            namespace: fleet.texts.intern("platform"),
            name: fleet.texts.intern("auth-ddb6f77fd"),
            resource_version: 1,
            document: fleet.documents.push(&document),
        };
        let mut cluster = Cluster::default();
        let sets = cluster.objects.entry(Resource::ReplicaSets).or_default();
        sets.insert(uid(SET).unwrap(), set);
        Owners::of(&fleet, &cluster)
    }

    #[test]
    fn a_pod_of_a_replica_set_belongs_to_its_deployment() {
        let owner = owners().resolve(&format!("apps|ReplicaSet|auth-ddb6f77fd|{SET}"));
        assert_eq!(
            owner,
            Owner::Workload(Resource::Deployments, uid(DEPLOYMENT).unwrap())
        );
    }

    #[test]
    fn a_bare_replica_set_is_unsupported() {
        let owner = owners().resolve(&format!("apps|ReplicaSet|bare|{DEPLOYMENT}"));
        assert_eq!(owner, Owner::Unsupported("ReplicaSet".into()));
    }

    #[test]
    fn the_group_tells_the_stateful_sets_apart() {
        let resolve = |group: &str| owners().resolve(&format!("{group}|StatefulSet|db|{SET}"));
        let id = uid(SET).unwrap();
        assert_eq!(resolve("apps"), Owner::Workload(Resource::StatefulSets, id));
        assert_eq!(
            resolve("apps.kruise.io"),
            Owner::Workload(Resource::AdvancedStatefulSets, id)
        );
        assert_eq!(
            resolve("example.com"),
            Owner::Unsupported("StatefulSet".into())
        );
    }

    #[test]
    fn jobs_are_unsupported_and_bare_pods_have_no_owner() {
        let job = owners().resolve(&format!("batch|Job|night|{SET}"));
        assert_eq!(job, Owner::Unsupported("Job".into()));
        assert_eq!(owners().resolve(""), Owner::None);
    }

    #[test]
    fn uids_are_uuids() {
        assert_eq!(uid("00000000-0000-0000-0000-0000000000ff"), Some(255));
        let short = "00000000-0000-0000-0000-0000000000f";
        let long = "00000000-0000-0000-0000-0000000000ff0";
        let no_hyphen = "0000000000000-0000-0000-0000000000ff";
        for bad in ["", "x", short, long, no_hyphen] {
            assert_eq!(uid(bad), None, "{bad}");
        }
    }
}
