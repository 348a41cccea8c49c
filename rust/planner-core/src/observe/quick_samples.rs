//! Pods as an API server could write them, right, unusual and wrong; see [`super::quick_laws`].

use fastrand::Rng;

/// JSON with its keys in any order, as often as may be.
enum Json {
    Raw(String),
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
}

fn one<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(..of.len())]
}

/// One of those that are right, and seldom one that is wrong or unusual.
fn mostly<'a>(rng: &mut Rng, right: &[&'a str], seldom: &[&'a str]) -> &'a str {
    let of = if rng.u8(..60) == 0 { seldom } else { right };
    one(rng, of)
}

fn string(rng: &mut Rng, of: &[&str]) -> Json {
    Json::Raw(format!("\"{}\"", one(rng, of)))
}

/// A short text with what JSON may write in more than one way.
fn text(rng: &mut Rng) -> Json {
    let texts = [
        "a",
        "b",
        "",
        "é",
        "\\u00e9",
        "\\ud83d\\ude00",
        "日本",
        "\\\"",
        "\\\\",
        "x\\ny",
        "{\\\"}",
        "]",
    ];
    string(rng, &texts)
}

fn either(rng: &mut Rng, one: &str, other: fn(&mut Rng) -> Json) -> Json {
    if rng.bool() {
        Json::Raw(one.into())
    } else {
        other(rng)
    }
}

fn time(rng: &mut Rng) -> Json {
    let second = rng.u8(0..60);
    match rng.u8(0..100) {
        0 => Json::Raw("null".into()),
        1 => string(
            rng,
            &[
                "2026-11-23T09:30:5\\u0039Z",
                "yesterday",
                "",
                "1969-12-31T23:59:59Z",
            ],
        ),
        _ => Json::Raw(format!("\"2026-11-23T09:30:{second:02}Z\"")),
    }
}

/// Anything that nobody reads.
fn anything(rng: &mut Rng, depth: u8) -> Json {
    match rng.u8(..if depth == 0 { 4 } else { 6 }) {
        0 => text(rng),
        1 => Json::Raw(one(rng, &["null", "true", "false", "{}", "[]"]).into()),
        2 => Json::Raw(one(rng, &["0", "-1", "1.5e3", "12345678901234567890"]).into()),
        3 => Json::Raw(format!("\"{}\"", rng.u16(..))),
        4 => {
            let keys = ["f:a", "k:{\\\"uid\\\":\\\"1\\\"}", "name", ".", "é"];
            let fields =
                (0..rng.usize(..4)).map(|_| (one(rng, &keys).to_owned(), anything(rng, depth - 1)));
            Json::Object(fields.collect())
        }
        _ => Json::Array(
            (0..rng.usize(..4))
                .map(|_| anything(rng, depth - 1))
                .collect(),
        ),
    }
}

/// An object of some of the fields, now and then with one that is wrong, null, there twice, or
/// that nobody reads.
fn object(rng: &mut Rng, fields: Vec<(&str, Json)>) -> Json {
    let mut kept: Vec<(String, Json)> = Vec::new();
    for (key, value) in fields {
        match rng.u16(..2000) {
            0 => {}
            1 => kept.push((key.into(), Json::Raw("null".into()))),
            2 => kept.push((key.into(), anything(rng, 2))),
            3 => kept.extend([anything(rng, 1), value].map(|it| (key.into(), it))),
            4 => kept.push((key.replacen('a', "\\u0061", 1), value)),
            5 => kept.push((key.replacen('m', "x", 1), value)),
            _ => kept.push((key.into(), value)),
        }
    }
    if rng.u8(..4) == 0 {
        kept.push(("volumeMounts".into(), anything(rng, 2)));
    }
    if rng.u8(..8) == 0 {
        rng.shuffle(&mut kept);
    }
    Json::Object(kept)
}

fn array(rng: &mut Rng, most: usize, mut element: impl FnMut(&mut Rng) -> Json) -> Json {
    Json::Array((0..rng.usize(..=most)).map(|_| element(rng)).collect())
}

fn container(rng: &mut Rng) -> Json {
    let env = array(rng, 2, |rng| {
        let fields = vec![
            ("name", text(rng)),
            ("value", text(rng)),
            ("valueFrom", anything(rng, 1)),
        ];
        object(rng, fields)
    });
    let requests = vec![
        (
            "cpu",
            Json::Raw(mostly(rng, &["\"100m\"", "\"1\""], &["\"x\"", "1"]).into()),
        ),
        (
            "memory",
            Json::Raw(mostly(rng, &["\"1Gi\"", "\"64Mi\""], &["\"\"", "null"]).into()),
        ),
    ];
    let requests = object(rng, requests);
    let fields = vec![
        ("name", either(rng, "\"main\"", text)),
        ("image", string(rng, &["cart:1", "cart:2"])),
        ("env", env),
        ("restartPolicy", string(rng, &["Always", "Never"])),
        ("resources", object(rng, vec![("requests", requests)])),
        ("readinessProbe", anything(rng, 3)),
    ];
    object(rng, fields)
}

fn container_status(rng: &mut Rng) -> Json {
    let fields = vec![
        ("name", string(rng, &["main", "mesh", "m\\u0061in"])),
        ("state", anything(rng, 2)),
        (
            "ready",
            Json::Raw(one(rng, &["true", "true", "false"]).into()),
        ),
        (
            "restartCount",
            Json::Raw(
                mostly(
                    rng,
                    &["0", "0", "7", "70000"],
                    &["-1", "2147483648", "01", "1e2"],
                )
                .into(),
            ),
        ),
        ("image", string(rng, &["cart:1", "cart:2"])),
        ("imageID", text(rng)),
        ("containerID", string(rng, &["containerd://1"])),
    ];
    object(rng, fields)
}

fn condition(rng: &mut Rng) -> Json {
    let fields = vec![
        (
            "type",
            string(
                rng,
                &["Ready", "InPlaceUpdateReady", "PodScheduled", "Re\\u0061dy"],
            ),
        ),
        ("status", string(rng, &["True", "True", "False"])),
        ("lastProbeTime", Json::Raw("null".into())),
        ("lastTransitionTime", time(rng)),
    ];
    object(rng, fields)
}

/// An update in place, of before the images of [`container_status`] or of other ones.
fn updated(rng: &mut Rng) -> Json {
    let more = one(rng, &["", "", r#","updateEnvFromMetadata":true"#]);
    let id = one(rng, &["a", "b", "c"]);
    let last = one(rng, &["null", r#"{"main":{"imageID":"ID"}}"#]).replace("ID", id);
    let state = format!(
        r#"{{"updateTimestamp":"2026-11-23T09:40:00Z","lastContainerStatuses":{last}{more}}}"#
    );
    Json::Raw(serde_json::to_string(&state).expect("texts can be written"))
}

/// What a daemon says of a container of either image.
fn running(rng: &mut Rng) -> Json {
    let hash = one(rng, &["1996985934", "2733481972"]);
    let meta = format!(
        r#"{{"containers":[{{"name":"main","containerID":"containerd://1","hashes":{{"plainHash":{hash}}}}}]}}"#
    );
    Json::Raw(serde_json::to_string(&meta).expect("texts can be written"))
}

fn metadata(rng: &mut Rng, name: &str) -> Json {
    let uid = format!("\"401598b1-3f34-4eee-afe2-d156af76{:04x}\"", rng.u16(..));
    let owner = vec![
        ("apiVersion", string(rng, &["apps.kruise.io/v1beta1", "v1"])),
        ("kind", string(rng, &["CloneSet"])),
        ("name", string(rng, &["cart"])),
        (
            "uid",
            Json::Raw("\"501598b1-3f34-4eee-afe2-d156af76fff5\"".into()),
        ),
        (
            "controller",
            Json::Raw(one(rng, &["true", "true", "false"]).into()),
        ),
    ];
    let owner = object(rng, owner);
    let instance = if rng.bool() { "x7" } else { name };
    let labels = vec![
        ("app", string(rng, &["cart", "c\\u0061rt"])),
        (
            "apps.kruise.io/cloneset-instance-id",
            string(rng, &[instance]),
        ),
        (
            "controller-revision-hash",
            string(rng, &["cart-5d9", "cart-5d8", "cart\\u002d5d9"]),
        ),
        ("pod-template-hash", string(rng, &["5d9"])),
        (
            "statefulset.kubernetes.io/pod-name",
            string(rng, &["cart-x7"]),
        ),
        ("topology.kubernetes.io/zone", string(rng, &["a", "b"])),
    ];
    let stamp = rng.u8(..60);
    let hash = format!(
        r#""{{\"mesh\":{{\"updateTimestamp\":\"2026-11-23T09:40:{stamp:02}Z\",\"hash\":\"{}\"}}}}""#,
        one(rng, &["f7", "f8"])
    );
    let old = format!(r#""{{\"updateTimestamp\":\"{stamp}\"}}""#);
    let annotations = vec![
        ("apps.kruise.io/inplace-update-state", updated(rng)),
        ("apps.kruise.io/runtime-containers-meta", running(rng)),
        ("config-hash", text(rng)),
        (
            "kruise.io/sidecarset-hash",
            Json::Raw(if rng.u8(..9) == 0 { old } else { hash }),
        ),
        ("lifecycle.apps.kruise.io/timestamp", time(rng)),
        ("kubernetes.io/config.mirror", text(rng)),
    ];
    let fields = vec![
        ("name", Json::Raw(format!("\"{name}\""))),
        ("namespace", string(rng, &["trade"])),
        ("uid", Json::Raw(uid)),
        ("resourceVersion", Json::Raw(format!("\"{}\"", rng.u32(..)))),
        ("creationTimestamp", time(rng)),
        ("labels", object(rng, labels)),
        ("annotations", object(rng, annotations)),
        ("ownerReferences", Json::Array(vec![owner])),
        ("managedFields", anything(rng, 4)),
    ];
    object(rng, fields)
}

fn pod(rng: &mut Rng) -> Json {
    let name = format!("cart-x{}", rng.u8(..20));
    let volume = |rng: &mut Rng| {
        let fields = vec![("name", text(rng)), ("emptyDir", anything(rng, 1))];
        object(rng, fields)
    };
    let spec = vec![
        ("containers", array(rng, 2, container)),
        ("initContainers", array(rng, 1, container)),
        ("nodeName", string(rng, &["node-1", "node-2", "node-10"])),
        ("volumes", array(rng, 2, volume)),
        ("tolerations", anything(rng, 3)),
        (
            "terminationGracePeriodSeconds",
            Json::Raw(mostly(rng, &["30", "5"], &["x", "null", "5.0"]).into()),
        ),
    ];
    let status = vec![
        ("phase", string(rng, &["Running", "Pending", "Odd"])),
        ("conditions", array(rng, 3, condition)),
        ("podIP", text(rng)),
        ("containerStatuses", array(rng, 2, container_status)),
        ("initContainerStatuses", array(rng, 1, container_status)),
    ];
    let fields = vec![
        ("apiVersion", string(rng, &["v1"])),
        ("kind", string(rng, &["Pod"])),
        ("metadata", metadata(rng, &name)),
        ("spec", object(rng, spec)),
        ("status", object(rng, status)),
    ];
    object(rng, fields)
}

/// Writes JSON, with `space` wherever there may be some.
fn write(json: &Json, space: &str, out: &mut String) {
    match json {
        Json::Raw(text) => out.push_str(text),
        Json::Object(fields) => {
            out.push('{');
            for (number, (key, value)) in fields.iter().enumerate() {
                out.push_str(if number == 0 { "" } else { "," });
                out.extend([space, "\"", key, "\"", space, ":", space]);
                write(value, space, out);
                out.push_str(space);
            }
            out.push('}');
        }
        Json::Array(elements) => {
            out.push('[');
            for (number, element) in elements.iter().enumerate() {
                out.push_str(if number == 0 { "" } else { "," });
                out.push_str(space);
                write(element, space, out);
                out.push_str(space);
            }
            out.push(']');
        }
    }
}

/// Pods that are alike but for what another seed changes, as those of a workload are.
pub fn pods(seed: u64) -> Vec<String> {
    let mut rng = Rng::with_seed(seed);
    let shapes: Vec<u64> = (0..rng.usize(1..4)).map(|_| rng.u64(..)).collect();
    let space = one(&mut rng, &["", "", " ", "\n    ", "\t\r\n"]);
    let written = (0..rng.usize(1..12)).map(|_| {
        let shape = shapes[rng.usize(..shapes.len())];
        let mut text = String::new();
        write(&pod(&mut Rng::with_seed(shape)), space, &mut text);
        vary(&mut rng, &text)
    });
    written.collect()
}

/// Changes the last digits of names, uids, versions, times, nodes, and of what nobody reads.
fn vary(rng: &mut Rng, text: &str) -> String {
    let next = text.chars().skip(1).chain([' ']);
    let changed = text.chars().zip(next).map(|(each, next)| {
        let is_last = each.is_ascii_digit() && matches!(next, '"' | 'Z' | '\\');
        if is_last && rng.u8(..3) == 0 {
            char::from(b'0' + rng.u8(..10))
        } else {
            each
        }
    });
    changed.collect()
}
