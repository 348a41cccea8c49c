//! What the intake takes, and where it says that something is wrong.

use planner_core::{
    batch::{Batch, Event, flags, text},
    observe::{Intake, Salt},
    resource::Resource,
};

const UID: &str = "401598b1-3f34-4eee-afe2-d156af76fff5";
const OTHER: &str = "501598b1-3f34-4eee-afe2-d156af76fff5";

fn intake(text: &str) -> Result<Vec<Batch>, (usize, String)> {
    taken(text.as_bytes(), false)
}

fn taken(text: &[u8], is_partial: bool) -> Result<Vec<Batch>, (usize, String)> {
    let mut intake = Intake::new(Salt([1; 32]), is_partial);
    let told = |error: planner_core::error::InputError| (error.offset, error.message);
    intake.add("pods.json", text).map_err(told)?;
    intake.finish().map_err(told)
}

fn pod(uid: &str, name: &str, status: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"trade","uid":"{uid}","resourceVersion":"7","creationTimestamp":"2026-11-23T09:30:59Z"}},"status":{status}}}"#
    )
}

fn list(items: &[&str]) -> String {
    let items = items.join(",");
    format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{}},"items":[{items}]}}"#)
}

/// The events of all batches with their resource and name.
fn told(batches: &[Batch]) -> Vec<(Event, Resource, String)> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns = batch.columns();
        for row in 0..batch.len() {
            rows.push((
                Event::from_code(columns.event.value(row)).expect("checked"),
                Resource::from_code(columns.resource.value(row)).expect("checked"),
                columns.name.value(row).to_owned(),
            ));
        }
    }
    rows
}

#[test]
fn an_error_points_at_the_object_that_is_wrong() {
    let good = pod(UID, "cart-1", "{}");
    for (bad, message) in [
        (r#"{"status":{}}"#.to_owned(), "no metadata.name"),
        (pod("cart", "cart-2", "{}"), "not a UUID"),
        (good.replace("\"7\"", "\"seven\""), "not a decimal"),
        (
            good.replace("\"7\"", "\"18446744073709551616\""),
            "not a decimal",
        ),
        (
            good.replace("2026-11-23T09:30:59Z", "yesterday"),
            "no RFC 3339 timestamp",
        ),
        (good.replace("\"name\":\"cart-1\",", ""), "no metadata.name"),
        (
            good.replace(&format!("\"uid\":\"{UID}\","), ""),
            "no metadata.uid",
        ),
        (
            good.replace("\"namespace\":\"trade\",", ""),
            "no metadata.namespace",
        ),
        (good.replace("\"cart-1\"", "1"), "invalid type"),
        (
            pod(
                OTHER,
                "cart-2",
                r#"{"containerStatuses":[{"name":"main","restartCount":-1}]}"#,
            ),
            "negative",
        ),
        (
            pod(
                OTHER,
                "c",
                r#"{"containerStatuses":[{"name":"main","restartCount":2147483648}]}"#,
            ),
            "expected i32",
        ),
        (good.clone(), "twice"),
        (pod(OTHER, "cart-1", "{}"), "two uids"),
        (
            good.replacen('{', r#"{"kind":"Node","apiVersion":"v1","#, 1),
            "in a list of pods",
        ),
    ] {
        let text = list(&[&good, &bad]);
        let offset = text.rfind(&bad).unwrap();
        let (found, told) = intake(&text).unwrap_err();
        assert_eq!(found, offset, "{told}");
        assert!(told.contains(message), "{told}");
    }
}

#[test]
fn a_cut_text_is_wrong_at_its_end() {
    let text = list(&[&pod(UID, "cart-1", "{}")]);
    for end in 1..text.len() {
        let (offset, message) = intake(&text[..end]).unwrap_err();
        assert_eq!(offset, end, "{message}");
        assert!(message.contains("cut off"), "{message}");
    }
    assert_eq!(intake("").unwrap_err().0, 0);
}

#[test]
fn broken_syntax_is_wrong_at_its_byte() {
    let text = format!("{}\n{}", pod(UID, "a", "{}"), "x");
    assert_eq!(intake("{\"kind\":\n\"Pod\" oops}").unwrap_err().0, 15);
    assert_eq!(taken(b"[1]", false).unwrap_err().0, 0);
    assert!(intake(&text).is_err());
}

#[test]
fn a_byte_that_is_not_utf8_is_where_it_is() {
    let text = list(&[&pod(UID, "cart-1", "{}")]);
    let at = text.find("trade").unwrap();
    let mut bytes = text.into_bytes();
    bytes[at] = 0xff;
    assert_eq!(taken(&bytes, false).unwrap_err().0, at);
}

#[test]
fn an_answer_that_is_an_error_is_quoted() {
    let status = r#"{"kind":"Status","apiVersion":"v1","message":"pods is forbidden"}"#;
    let (offset, message) = intake(status).unwrap_err();
    assert_eq!(offset, 0);
    assert!(message.contains("pods is forbidden"), "{message}");
    let event = format!("\n{{\"type\":\"ERROR\",\"object\":{status}}}");
    let (offset, message) = intake(&event).unwrap_err();
    assert_eq!(offset, 1);
    assert!(message.contains("pods is forbidden"), "{message}");
}

#[test]
fn what_is_no_object_is_an_error() {
    assert!(
        intake(r#"{"a": 1}"#)
            .unwrap_err()
            .1
            .contains("no Kubernetes object")
    );
    let item = r#"{"metadata":{}}"#;
    let text = format!(r#"{{"kind":"List","apiVersion":"v1","items":[{item}]}}"#);
    assert_eq!(intake(&text).unwrap_err().0, text.find(item).unwrap());
}

#[test]
fn kinds_that_are_not_used_are_counted_and_not_read() {
    let mut intake = Intake::new(Salt([1; 32]), false);
    let text = r#"{"kind":"SecretList","apiVersion":"v1","items":[{"data":1},{}]}
        {"kind":"ConfigMap","apiVersion":"v1"}
        {"kind":"List","apiVersion":"v1","items":[{"kind":"Secret","apiVersion":"v1"}]}
        {"type":"ADDED","object":{"kind":"Service","apiVersion":"v1"}}"#;
    intake.add("all.json", text.as_bytes()).unwrap();
    assert!(intake.finish().unwrap().is_empty());
    let skipped: Vec<_> = intake
        .skipped()
        .iter()
        .map(|(kind, n)| (kind.as_str(), *n))
        .collect();
    assert_eq!(skipped, [("ConfigMap", 1), ("Secret", 3), ("Service", 1)]);
}

#[test]
fn a_list_of_anything_is_a_list_of_each() {
    let pod = pod(UID, "cart-1", "{}").replacen('{', r#"{"kind":"Pod","apiVersion":"v1","#, 1);
    let node = format!(
        r#"{{"kind":"Node","apiVersion":"v1","metadata":{{"name":"node-1","uid":"{OTHER}"}}}}"#
    );
    let text = format!(r#"{{"kind":"List","apiVersion":"v1","items":[{node},{pod}]}}"#);
    let expected = [
        (Event::ListBegun, Resource::Pods, ""),
        (Event::Observed, Resource::Pods, "cart-1"),
        (Event::ListCompleted, Resource::Pods, ""),
        (Event::ListBegun, Resource::Nodes, ""),
        (Event::Observed, Resource::Nodes, "node-1"),
        (Event::ListCompleted, Resource::Nodes, ""),
    ]
    .map(|(event, resource, name)| (event, resource, name.to_owned()));
    assert_eq!(told(&intake(&text).unwrap()), expected);
    let partial = taken(text.as_bytes(), true).unwrap();
    assert_eq!(told(&partial), [expected[1].clone(), expected[4].clone()]);
}

#[test]
fn pages_are_one_list_and_the_last_one_must_be_there() {
    let page = |uid, name, more: &str| {
        list(&[&pod(uid, name, "{}")])
            .replace(r#""metadata":{},"#, &format!(r#""metadata":{{{more}}},"#))
    };
    let (first, last) = (page(UID, "a", r#""continue":"x""#), page(OTHER, "b", ""));
    let mut intake = Intake::new(Salt([1; 32]), false);
    intake.add("1.json", first.as_bytes()).unwrap();
    assert_eq!(intake.finish().unwrap_err().source, "1.json");
    intake.add("2.json", last.as_bytes()).unwrap();
    assert_eq!(told(&intake.finish().unwrap()).len(), 4);
}

#[test]
fn watch_events_keep_their_order_and_time() {
    let pod = pod(UID, "cart-1", "{}").replacen('{', r#"{"kind":"Pod","apiVersion":"v1","#, 1);
    let line = |t: &str, kind: &str| {
        format!(r#"{{"t":{t},"resource":"pods","event":{{"type":"{kind}","object":{pod}}}}}"#)
    };
    let bookmark = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"9"}}"#;
    let text = [
        line("1795426519.789", "ADDED"),
        format!(r#"{{"t":1795426520.5,"event":{{"type":"BOOKMARK","object":{bookmark}}}}}"#),
        format!(r#"{{"type":"BOOKMARK","object":{bookmark}}}"#),
        format!(r#"{{"type":"MODIFIED","object":{pod}}}"#),
        line("1795426521", "DELETED"),
    ]
    .join("\n");
    let batches = intake(&text).unwrap();
    let events: Vec<_> = told(&batches)
        .into_iter()
        .map(|(event, _, _)| event)
        .collect();
    assert_eq!(
        events,
        [
            Event::Observed,
            Event::TimePassed,
            Event::Observed,
            Event::Gone
        ]
    );
    assert_eq!(
        &batches[0].columns().time_ms.values()[..],
        [
            1_795_426_519_789,
            1_795_426_520_500,
            1_795_426_520_500,
            1_795_426_521_000
        ]
    );
    // A bookmark says how far the resource is known.
    assert_eq!(batches[0].columns().resource_version.value(1), 9);
    let late = format!("{}\n{}", line("1795426519", "ADDED"), line("-1", "ADDED"));
    assert_eq!(intake(&late).unwrap_err().0, late.find('\n').unwrap() + 1);
}

#[test]
fn a_list_is_as_new_as_the_newest_time_in_it() {
    let status = r#"{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-11-23T09:34:00Z"}]}"#;
    let batches = intake(&list(&[&pod(UID, "cart-1", status)])).unwrap();
    assert!(
        batches[0]
            .columns()
            .time_ms
            .values()
            .iter()
            .all(|time| *time == 1_795_426_440_000)
    );
}

#[test]
fn a_pod_becomes_its_columns() {
    let pod = format!(
        r#"{{"metadata":{{"name":"cart-x7","namespace":"trade","uid":"{UID}","resourceVersion":"7",
        "creationTimestamp":"2026-11-23T09:34:00Z","deletionTimestamp":"2026-11-23T09:35:00Z",
        "labels":{{"tier":"core","app":"c\u0061rt","apps.kruise.io/cloneset-instance-id":"x7",
          "controller-revision-hash":"cart-5d9","pod-template-hash":"5d9"}},
        "annotations":{{"pub.kruise.io/related-pub":"cart"}},
        "ownerReferences":[{{"apiVersion":"apps.kruise.io/v1beta1","kind":"CloneSet","name":"cart",
          "uid":"{}","controller":true}}]}},
        "spec":{{"nodeName":"node-1","volumes":[{{"name":"tmp","emptyDir":{{}}}}],
          "initContainers":[{{"name":"mesh","image":"mesh:1","restartPolicy":"Always",
            "resources":{{"requests":{{"cpu":"50m"}}}}}},
           {{"name":"init","image":"init:1","resources":{{"requests":{{"cpu":"2","memory":"1Gi"}}}}}}],
          "containers":[{{"name":"main","image":"cart:1",
            "resources":{{"requests":{{"cpu":"1","memory":"64Mi"}}}}}}],
          "readinessGates":[{{"conditionType":"InPlaceUpdateReady"}}]}},
        "status":{{"phase":"Running","conditions":[
            {{"type":"Ready","status":"True","lastTransitionTime":"2026-11-23T09:34:10Z"}},
            {{"type":"InPlaceUpdateReady","status":"False"}}],
          "containerStatuses":[{{"name":"main","image":"cart:1","imageID":"sha256:1","ready":true,
            "restartCount":70000}}],
          "initContainerStatuses":[{{"name":"mesh","restartCount":1}}]}}}}"#,
        OTHER.to_uppercase()
    );
    let batches = intake(&list(&[&pod])).unwrap();
    let columns = batches[0].columns();
    for (column, expected) in [
        (columns.namespace, "trade"),
        (columns.node, "node-1"),
        (
            columns.owner,
            &format!("apps.kruise.io|CloneSet|cart|{OTHER}"),
        ),
        (columns.revision, "cart-5d9"),
        (columns.labels, r#"{"app":"cart","tier":"core"}"#),
        (
            columns.annotations,
            r#"{"pub.kruise.io/related-pub":"cart"}"#,
        ),
        (
            columns.spec,
            r#"{"containers":[{"name":"main","image":"cart:1"}],"initContainers":[{"name":"mesh","image":"mesh:1","restartPolicy":"Always"},{"name":"init","image":"init:1"}],"readinessGates":["InPlaceUpdateReady"],"terminationGracePeriodSeconds":30,"requests":{"cpu":2050,"memory":1073741824}}"#,
        ),
        (
            columns.status,
            r#"[{"name":"main","image":"cart:1","imageID":"sha256:1","ready":true},{"name":"mesh","image":"","imageID":"","ready":false}]"#,
        ),
    ] {
        assert_eq!(text(column, 1), expected);
    }
    assert_eq!(columns.created_s.value(1), 1_795_426_440);
    assert_eq!(columns.ready_since_s.value(1), 1_795_426_450);
    assert_eq!(columns.restarts.value(1), u16::MAX);
    assert_eq!(
        columns.flags.value(1),
        flags::READY
            | flags::READY_KNOWN
            | flags::DELETING
            | flags::RUNNING
            | flags::IN_PLACE_UPDATE_SHUT
            | flags::EMPTY_DIR
            | flags::LABEL_INSTANCE_ID
            | flags::LABEL_REVISION
            | flags::LABEL_TEMPLATE_HASH
    );
}

/// A list that the quick reader cuts up, and the same one with a field that it does not know.
fn both_ways(items: &[&str]) -> [String; 2] {
    let quick = list(items);
    let slow = quick.replacen('{', r#"{"x":0,"#, 1);
    [quick, slow]
}

#[test]
fn lists_are_read_alike_however_they_are_written() {
    let pod = |uid, name| {
        let conditions =
            r#"[{"type":"Ready","status":"True","lastTransitionTime":"2026-11-23T09:34:00Z"}]"#;
        pod(
            uid,
            name,
            &format!(r#"{{"phase":"Running","conditions":{conditions}}}"#),
        )
    };
    let (one, other) = (pod(UID, "cart-1"), pod(OTHER, "cart-2"));
    let spaced = other.replace(',', " ,\r\n\t ").replace(":{", " : { ");
    let [quick, slow] = both_ways(&[&one, &other]);
    let expected = intake(&slow).unwrap();
    for text in [
        quick.clone(),
        quick.replace(&other, &spaced),
        format!("\n {}\n", quick.replace("\"items\":[", "\"items\" :\n[ ")),
        quick.replace("cart-2", "cart\\u002d2"),
    ] {
        let batches = intake(&text).unwrap();
        for (batch, expected) in batches.iter().zip(&expected) {
            assert_eq!(batch.to_bytes(), expected.to_bytes(), "{text}");
        }
    }
}

#[test]
fn what_breaks_the_syntax_is_told_before_everything_else() {
    let wrong = pod("cart", "cart-1", "{}");
    let good = pod(OTHER, "cart-2", "{}");
    for broken in [
        good.replace("\"7\"", "7 7"),
        good.replace("\"7\"", "\"\\q\""),
        good.replace("{\"name\"", "{,\"name\""),
        good.replace("trade", "tra\nde"),
        good.replacen("}}", "}}]", 1),
        good.replace("\"status\":{}", "\"status\":{]"),
        good.replace("cart-2\"", "cart-2"),
    ] {
        let [quick, slow] = both_ways(&[&wrong, &broken]);
        let shift = slow.len() - quick.len();
        let (offset, message) = intake(&slow).unwrap_err();
        assert_eq!(intake(&quick).unwrap_err(), (offset - shift, message));
    }
}
