//! A fleet as it would be once the first waves of a plan are done.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde_json::Value;

use super::{Plan, PlanError, moves::MovesReader};
use crate::fleet::{Fleet, Symbol};

/// Supposes that the moves of the first `waves` waves are made: their pods run what they were
/// moved to, and serve.
///
/// They keep names, nodes and revisions, and the templates of their workloads are those of
/// before: what a controller makes of a moved pod nobody knows yet.
pub fn after(fleet: &Fleet, plan: &Plan, waves: u32) -> Result<Fleet, PlanError> {
    let mut after = fleet.clone();
    let mut specs: HashMap<(Symbol, &str), Symbol, FxBuildHasher> = HashMap::default();
    let reader = MovesReader::new(&plan.moves).expect("checked when it was made");
    let rows = (0..plan.moves.num_rows()).map(|row| reader.row(row));
    for each in rows.take_while(|it| it.wave <= waves) {
        let cluster = after.clusters.get_mut(each.cluster);
        let found = cluster.and_then(|it| Some((it.row(each.uid)?, it)));
        let Some((row, cluster)) = found else {
            let (cluster, pod) = (each.cluster, each.pod);
            return Err(PlanError::Codec(format!(
                "the fleet has no {cluster}/{pod}"
            )));
        };
        let spec = cluster.pods.class(row).spec;
        let target = *specs.entry((spec, each.containers)).or_insert_with(|| {
            let text = with_images(after.texts.text(spec), each.containers);
            after.texts.intern(&text)
        });
        cluster.pods.settle(row, target);
    }
    Ok(after)
}

/// A pod's spec with other images; `images` is a JSON object by container.
fn with_images(spec: &str, images: &str) -> String {
    let images: BTreeMap<&str, Value> = serde_json::from_str(images).expect("written by a plan");
    let mut spec: Value = serde_json::from_str(spec).unwrap_or_default();
    for list in ["containers", "initContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let image = container["name"].as_str().and_then(|it| images.get(it));
            if let Some(image) = image.cloned() {
                container["image"] = image;
            }
        }
    }
    spec.to_string()
}

#[cfg(test)]
mod tests {
    use super::with_images;

    #[test]
    fn only_images_of_containers_that_are_named_become_others() {
        let spec = r#"{"containers":[{"name":"main","image":"a:1"},{"name":"log","image":"l:1"}],"initContainers":[{"name":"mesh","image":"m:1"}],"requests":{"cpu":1}}"#;
        let moved = with_images(spec, r#"{"main":"a:2","mesh":"m:2"}"#);
        let expected = spec.replace("a:1", "a:2").replace("m:1", "m:2");
        assert_eq!(moved, expected);
    }
}
