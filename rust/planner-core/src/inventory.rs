//! The fleet read with Kubernetes' eyes: which workload owns which pod, on which node and zone.
//!
//! Built once for a diff, a plan or a status; borrows the fleet.

use std::{borrow::Cow, collections::BTreeMap};

use hashbrown::HashMap;
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    diff::target::{desired, manifest_of},
    fleet::{Cluster, Fleet, Object, PodRow, Symbol},
    kube::{
        owner::{Owner, Owners},
        pod::{PodTexts, PodsOf},
        template::Template,
        workload::{Workload, WorkloadError},
    },
    resource::Resource,
};

/// Index into [`Inventory::workloads`].
pub type WorkloadIdx = u32;
/// Index into [`Inventory::clusters`].
pub type ClusterIdx = u32;

/// No workload.
pub const NO_WORKLOAD: WorkloadIdx = u32::MAX;

/// A fleet with its workloads.
#[derive(Debug)]
pub struct Inventory<'f> {
    /// What was read.
    pub fleet: &'f Fleet,
    /// By name.
    pub clusters: Vec<ClusterView<'f>>,
    /// By cluster, namespace, kind and name.
    pub workloads: Vec<Workload<'f>>,
    /// Cluster of each workload.
    clusters_of: Vec<ClusterIdx>,
    /// Whether a manifest of the request was laid over the workload.
    pub manifested: Vec<bool>,
    /// Of those, the template that was observed.
    observed: BTreeMap<WorkloadIdx, Template<'f>>,
    /// Pods of each workload that have not ended by themselves, by row.
    pub pods: Vec<Vec<PodRow>>,
    /// Objects that cannot be read, each with the reason.
    pub unreadable: Vec<WorkloadError>,
    /// What the texts of the pods say.
    parsed: PodTexts<'f>,
    /// Time, milliseconds UTC: that of the fleet, unless somebody knows better.
    now_ms: i64,
}

/// One cluster of an [`Inventory`].
#[derive(Debug)]
pub struct ClusterView<'f> {
    /// What people call it.
    pub name: &'f str,
    /// What was seen of it.
    pub cluster: &'f Cluster,
    /// Minor version of its API server; of the newest known one when it was not observed.
    pub server_minor: u32,
    /// The API server's version as it was observed.
    pub version: Option<String>,
    /// Workload of each row; [`NO_WORKLOAD`] without one.
    pub workload_of: Vec<WorkloadIdx>,
    /// Zone of each node, as an index into `zone_names`.
    pub zones: HashMap<Symbol, u32, FxBuildHasher>,
    /// The zones, by name.
    pub zone_names: Vec<String>,
    /// Owner of pods whose owner is not a workload that the planner moves.
    pub unsupported: BTreeMap<Symbol, Box<str>>,
}

/// Behaviour of servers whose version was not observed.
const SERVER_MINOR_DEFAULT: u32 = 36;

impl<'f> Inventory<'f> {
    /// Reads a fleet, with manifests laid over the workloads that they name.
    #[must_use]
    pub fn new(fleet: &'f Fleet, manifests: &[Value]) -> Self {
        fleet.open();
        let (mut inventory, parsed) = rayon::join(
            || Self::without_texts(fleet, manifests),
            || PodTexts::of(fleet),
        );
        inventory.parsed = parsed;
        inventory
    }

    fn without_texts(fleet: &'f Fleet, manifests: &[Value]) -> Self {
        let (mut read, mut unreadable) = (Vec::new(), Vec::new());
        for (name, cluster) in &fleet.clusters {
            let objects: Vec<(Resource, &Object)> = workload_objects(cluster).collect();
            let of_cluster = objects.into_par_iter().map(|(resource, object)| {
                read_workload(resource, name, fleet.document(object), manifests)
            });
            for each in of_cluster.collect::<Vec<_>>() {
                match each {
                    Ok(each) => read.push(each),
                    Err(error) => unreadable.push(error),
                }
            }
        }
        read.sort_by(|(a, _), (b, _)| key(a).cmp(&key(b)));
        let (workloads, under): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        let manifested = under.iter().map(Option::is_some).collect();
        let observed = (0..).zip(under);
        let observed = observed.filter_map(|(index, under)| Some((index, under?)));
        let clusters: Vec<ClusterView<'f>> = fleet
            .clusters
            .par_iter()
            .map(|(name, cluster)| view(fleet, name, cluster, &workloads))
            .collect();
        let find = |workload: &Workload| {
            let found = clusters.binary_search_by(|view| view.name.cmp(&workload.cluster));
            found.expect("a workload comes from a cluster of the fleet") as ClusterIdx
        };
        let clusters_of = workloads.iter().map(find).collect();
        let mut pods = vec![Vec::new(); workloads.len()];
        for view in &clusters {
            for row in view.cluster.pods.rows() {
                let owner = view.workload_of[row as usize];
                if owner != NO_WORKLOAD && !view.cluster.pods.is_finished(row) {
                    pods[owner as usize].push(row);
                }
            }
        }
        Self {
            fleet,
            clusters,
            workloads,
            clusters_of,
            manifested,
            observed: observed.collect(),
            pods,
            unreadable,
            parsed: PodTexts::default(),
            now_ms: fleet.now_ms,
        }
    }

    /// The same at a later time: pods become available without an event.
    #[must_use]
    pub fn at(mut self, now_ms: i64) -> Self {
        self.now_ms = self.now_ms.max(now_ms);
        self
    }

    /// The pods of a cluster.
    #[must_use]
    pub fn pods_of(&self, cluster: ClusterIdx) -> PodsOf<'_> {
        let cluster = self.clusters[cluster as usize].cluster;
        let mut pods = PodsOf::new(self.fleet, cluster, &self.parsed);
        pods.now_ms = self.now_ms;
        pods
    }

    /// What `read` makes of the objects of a cluster of one resource, by namespace and name.
    pub fn read_each<T: Send>(
        &self,
        cluster: ClusterIdx,
        resource: Resource,
        read: impl Fn(&Value) -> T + Sync,
    ) -> Vec<T> {
        let objects = self.clusters[cluster as usize]
            .cluster
            .objects
            .get(&resource);
        let mut objects: Vec<_> = objects.into_iter().flat_map(BTreeMap::values).collect();
        let text = |symbol| self.fleet.texts.text(symbol);
        objects.sort_by_key(|it| (text(it.namespace), text(it.name)));
        objects
            .into_par_iter()
            .map(|object| read(&read_document(self.fleet.document(object))))
            .collect()
    }

    /// The template with which a workload was observed.
    #[must_use]
    pub fn observed_template(&self, workload: WorkloadIdx) -> &Template<'f> {
        let own = &self.workloads[workload as usize].template;
        self.observed.get(&workload).unwrap_or(own)
    }

    /// The cluster of a workload.
    #[must_use]
    pub fn cluster_of(&self, workload: WorkloadIdx) -> (ClusterIdx, &ClusterView<'f>) {
        let index = self.clusters_of[workload as usize];
        (index, &self.clusters[index as usize])
    }
}

fn key<'a>(workload: &'a Workload<'_>) -> (&'a str, &'a str, &'a str, &'a str) {
    (
        &workload.cluster,
        &workload.namespace,
        workload.kind(),
        &workload.name,
    )
}

fn workload_objects(cluster: &Cluster) -> impl Iterator<Item = (Resource, &Object)> {
    Workload::RESOURCES.into_iter().flat_map(|resource| {
        let objects = cluster
            .objects
            .get(&resource)
            .into_iter()
            .flat_map(BTreeMap::values);
        objects.map(move |object| (resource, object))
    })
}

fn read_document(text: &str) -> Value {
    serde_json::from_str(text).expect("documents are JSON since they were appended")
}

/// A workload with its manifest laid over it, and then the template below.
fn read_workload<'f>(
    resource: Resource,
    cluster: &str,
    text: &'f str,
    manifests: &[Value],
) -> Result<(Workload<'f>, Option<Template<'f>>), WorkloadError> {
    let observed = Workload::read_text(resource, cluster, text)?;
    match manifest_of(&observed, manifests) {
        Some(manifest) => {
            let desired = desired(read_document(text), manifest);
            let desired = Workload::read(resource, cluster, &desired)?;
            Ok((desired, Some(observed.template)))
        }
        None => Ok((observed, None)),
    }
}

fn view<'f>(
    fleet: &'f Fleet,
    name: &'f str,
    cluster: &'f Cluster,
    workloads: &[Workload<'_>],
) -> ClusterView<'f> {
    let owners = Owners::of(fleet, cluster);
    let by_uid: BTreeMap<(Resource, u128), WorkloadIdx> = workloads
        .iter()
        .enumerate()
        .filter(|(_, workload)| &*workload.cluster == name)
        .map(|(index, workload)| ((workload.resource, workload.uid), index as WorkloadIdx))
        .collect();
    let mut unsupported = BTreeMap::new();
    let mut known: BTreeMap<Symbol, WorkloadIdx> = BTreeMap::new();
    let classes = cluster.pods.classes.all().iter();
    let of_class = classes.map(|class| {
        *known.entry(class.owner).or_insert_with(|| {
            match owners.resolve(fleet.texts.text(class.owner)) {
                Owner::Workload(resource, uid) => {
                    by_uid.get(&(resource, uid)).copied().unwrap_or(NO_WORKLOAD)
                }
                Owner::Unsupported(kind) => {
                    unsupported.insert(class.owner, kind);
                    NO_WORKLOAD
                }
                Owner::None => NO_WORKLOAD,
            }
        })
    });
    let of_class: Vec<WorkloadIdx> = of_class.collect();
    let numbers = cluster.pods.classes.numbers().iter();
    let workload_of = numbers.map(|class| of_class[*class as usize]).collect();
    let version = version(fleet, cluster);
    let server_minor = version
        .as_deref()
        .and_then(minor)
        .unwrap_or(SERVER_MINOR_DEFAULT);
    let (zones, zone_names) = zones(fleet, cluster);
    ClusterView {
        name,
        cluster,
        server_minor,
        version,
        workload_of,
        zones,
        zone_names,
        unsupported,
    }
}

fn version(fleet: &Fleet, cluster: &Cluster) -> Option<String> {
    let object = cluster.objects.get(&Resource::Versions)?.values().next()?;
    let document: Value = serde_json::from_str(fleet.document(object)).ok()?;
    Some(document.get("gitVersion")?.as_str()?.to_owned())
}

/// The `36` of `v1.36.3`.
fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

/// The zone of each node, and the names of the zones.
fn zones(fleet: &Fleet, cluster: &Cluster) -> (HashMap<Symbol, u32, FxBuildHasher>, Vec<String>) {
    let nodes = cluster.objects.get(&Resource::Nodes);
    let nodes: Vec<&Object> = nodes.into_iter().flat_map(BTreeMap::values).collect();
    let zone_of = nodes.into_par_iter().filter_map(|node| {
        let document: Node<'_> = serde_json::from_str(fleet.document(node)).ok()?;
        let zone = document.metadata.labels?.zone?;
        Some((node.name, zone))
    });
    let zone_of: Vec<(Symbol, Cow<'_, str>)> = zone_of.collect();
    let mut names: Vec<String> = Vec::new();
    for (_, zone) in &zone_of {
        if let Err(at) = names.binary_search_by(|name| (**name).cmp(zone)) {
            names.insert(at, zone.to_string());
        }
    }
    let index = |zone: &str| names.binary_search_by(|name| (**name).cmp(zone));
    let zones = zone_of
        .iter()
        .map(|(node, zone)| (*node, index(zone).expect("it is one of them") as u32));
    (zones.collect(), names)
}

#[derive(Deserialize)]
struct Node<'a> {
    #[serde(borrow)]
    metadata: NodeMetadata<'a>,
}

#[derive(Deserialize)]
struct NodeMetadata<'a> {
    #[serde(borrow)]
    labels: Option<NodeLabels<'a>>,
}

#[derive(Deserialize)]
struct NodeLabels<'a> {
    #[serde(borrow, rename = "topology.kubernetes.io/zone")]
    zone: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::minor;

    #[test]
    fn minor_version_is_the_second_number() {
        assert_eq!(minor("v1.36.3"), Some(36));
        assert_eq!(minor("v1.35.0-alpha.1+ab"), Some(35));
        assert_eq!(minor("unknown"), None);
    }
}
