//! What every workload and `SidecarSet` ran at one position: where the way back leads to.

use std::collections::BTreeMap;

use crate::{
    fleet::Fleet,
    inventory::{ClusterIdx, Inventory},
    kube::sidecar::SidecarSet,
    resource::Resource,
};

/// Cluster, namespace, kind and name; image by container.
pub type ImagesOf = ((String, String, String, String), BTreeMap<String, String>);

/// The images of every template.
#[must_use]
pub fn images(fleet: &Fleet) -> Vec<ImagesOf> {
    let inventory = Inventory::new(fleet, &[]);
    let workloads = inventory.workloads.iter().map(|workload| {
        let place = (
            workload.cluster.to_string(),
            workload.namespace.to_string(),
            workload.kind().to_owned(),
            workload.name.to_string(),
        );
        let containers = workload.outline.containers.iter();
        let images = containers.map(|it| (it.name.to_string(), it.image.to_string()));
        (place, images.collect())
    });
    let clusters = 0..inventory.clusters.len() as ClusterIdx;
    let sets = clusters.flat_map(|cluster| sidecar_images(&inventory, cluster));
    workloads.chain(sets).collect()
}

fn sidecar_images(inventory: &Inventory<'_>, cluster: ClusterIdx) -> Vec<ImagesOf> {
    let name = inventory.clusters[cluster as usize].name.to_owned();
    let read = inventory.read_each(cluster, Resource::SidecarSets, SidecarSet::read);
    let images = read.into_iter().flatten().map(|set| {
        let place = (
            name.clone(),
            String::new(),
            "SidecarSet".to_owned(),
            set.name.to_string(),
        );
        let containers = set.containers.iter().chain(&set.init_containers);
        let images = containers.map(|it| (it.name.to_string(), it.image.to_string()));
        (place, images.collect())
    });
    images.collect()
}
