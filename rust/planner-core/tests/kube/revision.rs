//! Which template a pod runs, by the label of its revision.

use planner_core::{
    fleet::Fleet,
    kube::{
        revision::{Revision, Revisions},
        workload::Workload,
    },
    resource::Resource,
};
use serde_json::{Value, json};

use crate::fixture::{add, fleet, workload};

const WORKLOAD: &str = "00000000-0000-0000-0000-000000000007";

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "w"}},
        "spec": {"containers": [{"name": "main", "image": image}]}})
}

fn controlled(name: &str, created: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "trade", "creationTimestamp": created,
        "ownerReferences": [{"controller": true, "apiVersion": "apps/v1", "kind": "Any",
            "name": "w", "uid": WORKLOAD}]}})
}

fn controller_revision(name: &str, number: u64, image: &str) -> Value {
    let mut document = controlled(name, "2026-11-23T09:30:59Z");
    document["revision"] = json!(number);
    document["data"] = json!({"spec": {"template": template(image)}});
    document["data"]["spec"]["template"]["$patch"] = json!("replace");
    document["data"]["spec"]["template"]["metadata"]["creationTimestamp"] = Value::Null;
    document
}

fn replica_set(hash: &str, created: &str, image: &str) -> Value {
    let mut document = controlled(&format!("w-{hash}"), created);
    document["metadata"]["labels"] = json!({"pod-template-hash": hash});
    document["spec"] = json!({"template": template(image)});
    document["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] = json!(hash);
    document
}

fn recorded(resource: Resource, documents: &[Value]) -> Fleet {
    let mut fleet: Fleet = fleet(&[]);
    for (document, uid) in documents.iter().zip(1..) {
        add(&mut fleet, resource, uid, document);
    }
    fleet
}

fn at(resource: Resource, image: &str) -> Workload<'static> {
    workload(resource, &json!({"template": template(image)}))
}

#[test]
fn every_spelling_of_a_revision_finds_it() {
    let known = [controller_revision("w-6f878574bb", 1, "w:1")];
    let fleet = recorded(Resource::ControllerRevisions, &known);
    let revisions = Revisions::of(&fleet, &fleet.clusters["hangzhou"]);
    for label in ["w-6f878574bb", "6f878574bb"] {
        let found = revisions.find(7, label).unwrap();
        assert_eq!(found.template()["spec"]["containers"][0]["image"], "w:1");
        assert_eq!(found.template().get("$patch"), None);
    }
    assert_eq!(revisions.find(7, "w-other"), None);
    assert_eq!(revisions.find(7, ""), None);
    assert_eq!(revisions.find(8, "w-6f878574bb"), None);
}

#[test]
fn a_status_that_is_up_to_date_tells_the_update_revision() {
    let known = [
        controller_revision("w-aaa", 1, "w:1"),
        controller_revision("w-bbb", 2, "w:2"),
    ];
    let fleet = recorded(Resource::ControllerRevisions, &known);
    let revisions = Revisions::of(&fleet, &fleet.clusters["hangzhou"]);
    let mut document = json!({
        "metadata": {"name": "w", "namespace": "trade", "uid": WORKLOAD, "generation": 3},
        "spec": {"template": template("w:2")},
        "status": {"observedGeneration": 3, "updateRevision": "w-aaa"},
    });
    let read = |document: &Value| {
        Workload::read(Resource::CloneSets, "hangzhou", document).expect("it is a workload")
    };
    let told = read(&document);
    assert_eq!(&*revisions.update(&told).unwrap().name, "w-aaa");
    assert!(revisions.is_updated(&told, "w-aaa") && !revisions.is_updated(&told, "w-bbb"));
    document["status"]["observedGeneration"] = json!(2);
    let stale = read(&document);
    assert_eq!(&*revisions.update(&stale).unwrap().name, "w-bbb");
    assert!(revisions.is_updated(&stale, "w-bbb"));
}

#[test]
fn a_workload_tells_the_template_of_a_revision_that_was_not_observed() {
    let document = |observed: u64| {
        json!({
            "metadata": {"name": "w", "namespace": "trade", "uid": WORKLOAD, "generation": 3},
            "spec": {"template": template("w:2")},
            "status": {"observedGeneration": observed, "updateRevision": "w-bbb"},
        })
    };
    let old = controller_revision("w-aaa", 1, "w:1");
    let new = controller_revision("w-bbb", 2, "w:3");
    // The image of the new revision, the age of both, and how many there are.
    let known = |documents: &[Value], observed: u64| {
        let fleet = recorded(Resource::ControllerRevisions, documents);
        let document = document(observed).to_string();
        let workload = Workload::read_text(Resource::CloneSets, "hangzhou", &document).unwrap();
        let mut revisions = Revisions::of(&fleet, &fleet.clusters["hangzhou"]);
        revisions.tell(&workload, &workload.template);
        let template = revisions.find(7, "bbb").map(Revision::template);
        let image = template.map(|it| it["spec"]["containers"][0]["image"].clone());
        let ages = (revisions.age(7, "aaa"), revisions.age(7, "bbb"));
        (image, ages, revisions.all(7).len())
    };
    let told = known(std::slice::from_ref(&old), 3);
    assert_eq!(told, (Some(json!("w:2")), (0, 1), 2));
    let stale = known(std::slice::from_ref(&old), 2);
    assert_eq!(stale, (None, (0, 1), 1));
    let both = known(&[old, new], 3);
    assert_eq!(both, (Some(json!("w:3")), (0, 1), 2));
}

#[test]
fn a_daemon_set_is_at_the_newest_revision_with_its_template() {
    let known = [
        controller_revision("w-bbb", 3, "w:1"),
        controller_revision("w-aaa", 1, "w:1"),
        controller_revision("w-ccc", 2, "w:2"),
    ];
    let fleet = recorded(Resource::ControllerRevisions, &known);
    let revisions = Revisions::of(&fleet, &fleet.clusters["hangzhou"]);
    let update = revisions.update(&at(Resource::DaemonSets, "w:1")).unwrap();
    assert_eq!(&*update.name, "w-bbb");
    assert_eq!(revisions.update(&at(Resource::DaemonSets, "w:3")), None);
    assert!(!revisions.is_updated(&at(Resource::DaemonSets, "w:3"), "bbb"));
}

#[test]
fn a_deployment_is_at_the_oldest_set_with_its_template() {
    let known = [
        replica_set("bbb", "2026-11-23T10:00:00Z", "w:1"),
        replica_set("aaa", "2026-11-23T09:00:00Z", "w:1"),
        replica_set("ccc", "2026-11-23T08:00:00Z", "w:2"),
    ];
    let fleet = recorded(Resource::ReplicaSets, &known);
    let revisions = Revisions::of(&fleet, &fleet.clusters["hangzhou"]);
    let update = revisions.update(&at(Resource::Deployments, "w:1")).unwrap();
    assert_eq!(&*update.name, "w-aaa");
    assert_eq!(
        [("ccc", 0), ("aaa", 1), ("bbb", 2), ("none", 3)]
            .map(|(hash, age)| { revisions.age(7, hash) == age }),
        [true; 4]
    );
}
