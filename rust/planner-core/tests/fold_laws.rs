//! Laws of fold, snapshot and codec over arbitrary logs, against a model that is plainly right.

use std::collections::{BTreeMap, BTreeSet};

use planner_core::{
    batch::{Batch, BatchBuilder, ObjectRow},
    fleet::{Class, Fleet, Interner, Pod, Symbol},
    fold::{Folding, fold},
    resource::Resource,
    snapshot::{from_snapshot, to_snapshot},
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Row {
    Begin(Resource),
    Seen(Resource, u8, u64),
    Gone(Resource, u8),
    Complete(Resource),
    Passed,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let resource = || prop_oneof![Just(Resource::Pods), Just(Resource::Deployments)];
    let row = prop_oneof![
        1 => resource().prop_map(Row::Begin),
        8 => (resource(), 0..6u8, 0..5u64).prop_map(|(kind, uid, seen)| Row::Seen(kind, uid, seen)),
        2 => (resource(), 0..6u8).prop_map(|(resource, uid)| Row::Gone(resource, uid)),
        1 => resource().prop_map(Row::Complete),
        1 => Just(Row::Passed),
    ];
    prop::collection::vec(row, 0..60)
}

fn batch(rows: &[Row]) -> Batch {
    let mut texts = Interner::default();
    let namespaces = ["trade", "data"].map(|name| texts.intern(name));
    let seen: Vec<_> = (0..5)
        .map(|seen| texts.intern(&format!("{{\"seen\":{seen}}}")))
        .collect();
    let mut builder = BatchBuilder::new(&texts);
    for row in rows {
        // Time runs back now and then, as clocks do.
        let time_ms = match row {
            Row::Seen(_, uid, version) => i64::from(*uid) * 7 + i64::from(*version as u32),
            _ => 20,
        };
        match row {
            Row::Begin(resource) => builder.list_begun(*resource, time_ms, 9),
            Row::Complete(resource) => builder.list_completed(*resource, time_ms, 9),
            Row::Passed => builder.time_passed(Resource::Pods, time_ms, 9),
            Row::Seen(Resource::Pods, uid, version) => {
                let text = seen[*version as usize];
                builder.pod(
                    time_ms,
                    &Pod {
                        uid: u128::from(*uid),
                        name: &format!("cart-{uid}"),
                        node: text,
                        class: Class {
                            namespace: namespaces[usize::from(*uid % 2)],
                            owner: text,
                            revision: text,
                            labels: text,
                            annotations: text,
                            spec: text,
                            status: text,
                        },
                        created_s: 1,
                        ready_since_s: *version as u32,
                        restarts: 0,
                        flags: *version as u16,
                        resource_version: *version,
                    },
                );
            }
            Row::Seen(resource, uid, _) | Row::Gone(resource, uid) => {
                let version = if let Row::Seen(_, _, version) = row {
                    *version
                } else {
                    9
                };
                let document = format!("{{\"version\":{version}}}");
                let object = ObjectRow {
                    uid: u128::from(*uid),
                    resource_version: version,
                    namespace: namespaces[usize::from(*uid % 2)],
                    name: &format!("cart-{uid}"),
                    document: matches!(row, Row::Seen(..)).then_some(document.as_str()),
                };
                builder.object(*resource, time_ms, &object);
            }
        }
    }
    builder.finish()
}

fn folded(parts: &[&[Row]]) -> Fleet {
    parts.iter().fold(Fleet::default(), |fleet, part| {
        let next = fleet.position + 1;
        fold(fleet, "hangzhou", next, &batch(part)).expect("positions follow")
    })
}

/// Versions of what exists, by resource and uid, and what the open lists mentioned of it.
type Model = (
    BTreeMap<(Resource, u8), u64>,
    BTreeMap<Resource, BTreeSet<u8>>,
);

fn modelled(rows: &[Row]) -> Model {
    let (mut known, mut lists) = Model::default();
    for row in rows {
        match row {
            Row::Begin(resource) => drop(lists.insert(*resource, BTreeSet::new())),
            Row::Seen(resource, uid, version) => {
                let version_known = known.entry((*resource, *uid)).or_insert(*version);
                if *version == 0 || *version > *version_known {
                    *version_known = *version;
                }
                if let Some(list) = lists.get_mut(resource) {
                    list.insert(*uid);
                }
            }
            Row::Gone(resource, uid) => {
                known.remove(&(*resource, *uid));
                if let Some(list) = lists.get_mut(resource) {
                    list.remove(uid);
                }
            }
            Row::Complete(resource) => {
                if let Some(list) = lists.remove(resource) {
                    known.retain(|(kind, uid), _| kind != resource || list.contains(uid));
                }
            }
            Row::Passed => {}
        }
    }
    (known, lists)
}

fn existing(fleet: &Fleet) -> BTreeMap<(Resource, u8), u64> {
    let Some(cluster) = fleet.clusters.get("hangzhou") else {
        return BTreeMap::new();
    };
    let pods = cluster.pods.rows().map(|row| {
        let pod = cluster.pods.get(row);
        assert_eq!(pod.name, format!("cart-{}", pod.uid));
        assert_eq!(u64::from(pod.flags), pod.resource_version);
        assert_eq!(cluster.row(pod.uid), Some(row));
        ((Resource::Pods, pod.uid as u8), pod.resource_version)
    });
    let others = cluster.objects.iter().flat_map(|(resource, objects)| {
        objects.iter().map(|(uid, object)| {
            assert_eq!(
                fleet.document(object),
                format!("{{\"version\":{}}}", object.resource_version)
            );
            ((*resource, *uid as u8), object.resource_version)
        })
    });
    pods.chain(others).collect()
}

proptest! {
    #[test]
    fn fold_does_what_the_model_does(rows in rows()) {
        prop_assert_eq!(existing(&folded(&[&rows])), modelled(&rows).0);
    }

    #[test]
    fn digests_are_equal_exactly_when_fleets_are(rows in rows(), more in rows()) {
        // Few more rows, so that they often change nothing.
        let more: Vec<_> = rows.iter().chain(more.iter().take(2)).cloned().collect();
        let [one, other] = [&rows, &more].map(|rows| {
            let fleet = folded(&[&[Row::Passed], rows]);
            Fleet { position: 0, now_ms: 0, ..fleet }.digest()
        });
        prop_assert_eq!(one == other, modelled(&rows) == modelled(&more));
    }

    #[test]
    fn a_split_log_folds_to_the_same_fleet(rows in rows(), cut in 0..60usize) {
        let (head, tail) = rows.split_at(cut.min(rows.len()));
        prop_assert_eq!(folded(&[&rows]).digest(), folded(&[head, tail]).digest());
    }

    #[test]
    fn a_snapshot_anywhere_changes_nothing(rows in rows(), cut in 0..60usize) {
        let (head, tail) = rows.split_at(cut.min(rows.len()));
        let before = folded(&[head]);
        let restored = from_snapshot(&to_snapshot(&before)).unwrap();
        prop_assert_eq!(restored.digest(), before.digest());
        let next = before.position + 1;
        let on = fold(before, "hangzhou", next, &batch(tail)).unwrap();
        let restored_on = fold(restored, "hangzhou", next, &batch(tail)).unwrap();
        prop_assert_eq!(on.digest(), restored_on.digest());
        prop_assert_eq!(to_snapshot(&on), to_snapshot(&restored_on));
    }

    #[test]
    fn an_event_that_comes_twice_changes_nothing(rows in rows(), uid in 0..6u8, version in 1..5u64) {
        let seen = [Row::Seen(Resource::Pods, uid, version)];
        let once = folded(&[&rows, &seen]);
        let twice = folded(&[&rows, &seen, &seen]);
        prop_assert_eq!(existing(&once), existing(&twice));
    }

    #[test]
    fn a_batch_is_what_was_written(rows in rows()) {
        let batch = batch(&rows);
        prop_assert_eq!(Batch::from_bytes(&batch.to_bytes()).unwrap(), batch);
    }

    #[test]
    fn damaged_bytes_are_an_error(rows in rows(), at: prop::sample::Index, bit in 0..8u8) {
        let mut bytes = batch(&rows).to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Batch::from_bytes(&bytes).is_err());
        prop_assert!(Batch::from_bytes(&bytes[..at]).is_err());

        let mut bytes = to_snapshot(&folded(&[&rows]));
        let at = at.min(bytes.len() - 1);
        bytes[at] ^= 1 << bit;
        prop_assert!(from_snapshot(&bytes).is_err());
        prop_assert!(from_snapshot(&bytes[..at]).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Batch::from_bytes(&bytes).is_err());
        prop_assert!(from_snapshot(&bytes).is_err());
    }
}

#[test]
fn events_that_come_twice_are_an_error_and_gaps_are_none() {
    let rows = batch(&[Row::Passed, Row::Passed]);
    let fleet = fold(Fleet::default(), "hangzhou", 3, &rows).unwrap();
    assert_eq!(fleet.position, 4);
    let error = fold(fleet, "hangzhou", 4, &rows).unwrap_err();
    assert_eq!((error.position, error.found), (4, 4));
}

#[test]
fn another_schema_is_an_error() {
    let records = batch(&[Row::Passed]).records().project(&[0, 1]).unwrap();
    let error = Batch::from_records(records).unwrap_err();
    assert!(error.to_string().contains("observations/1"), "{error}");
}

#[test]
fn a_list_in_two_clusters_is_two_lists() {
    let seen = batch(&[Row::Seen(Resource::Pods, 1, 1)]);
    let empty = batch(&[Row::Begin(Resource::Pods), Row::Complete(Resource::Pods)]);
    let fleet = fold(Fleet::default(), "hangzhou", 1, &seen).unwrap();
    let fleet = fold(fleet, "shanghai", 2, &empty).unwrap();
    assert_eq!(fleet.clusters["hangzhou"].row(1), Some(0));
    assert_eq!(fleet.clusters["shanghai"].row(1), None);
}

#[test]
fn what_was_folded_is_put_away_packed() {
    let texts = Interner::default();
    let mut builder = BatchBuilder::new(&texts);
    let document = format!("{{\"kind\":\"{}\"}}", "Deployment".repeat(1000));
    for uid in 0..100 {
        let object = ObjectRow {
            uid,
            resource_version: 1,
            namespace: Symbol::default(),
            name: "cart",
            document: Some(&document),
        };
        builder.object(Resource::Deployments, 0, &object);
    }
    let batch = builder.finish();
    let plain = fold(Fleet::default(), "hangzhou", 1, &batch).unwrap();
    let packed = Folding::of(Fleet::default()).add("hangzhou", 1, &batch);
    let packed = packed.unwrap().finish();
    let restored = from_snapshot(&to_snapshot(&plain)).unwrap();
    for fleet in [packed, restored] {
        assert!(fleet.bytes() * 3 < plain.bytes());
        assert_eq!(
            fleet.cluster_digest("hangzhou"),
            plain.cluster_digest("hangzhou")
        );
    }
}
