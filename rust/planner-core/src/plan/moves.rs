//! The moves of a plan as a table, and as lines of JSON.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, DictionaryArray, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array,
    UInt64Array,
    cast::AsArray,
    types::{UInt32Type, UInt64Type},
};
use arrow_schema::{DataType, Field, Schema};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::fleet::Interner;

/// The key of a [`TextColumn`] where there is no text.
pub(super) const NONE: u32 = u32::MAX;

/// A column of texts of which there are few, as keys into them.
#[derive(Debug)]
pub(super) struct TextColumn {
    keys: Vec<u32>,
    values: StringArray,
}

impl TextColumn {
    /// The texts, and which of them each move has, or [`NONE`].
    pub fn new<T: AsRef<str>>(keys: Vec<u32>, texts: impl IntoIterator<Item = T>) -> Self {
        let values = StringArray::from_iter_values(texts);
        Self { keys, values }
    }

    /// One text for each group, of which many are the same, and the group of each move.
    pub fn grouped<'a>(groups: &[u32], texts: impl Iterator<Item = &'a str>) -> Self {
        let mut known = Interner::default();
        let of_group: Vec<u32> = texts.map(|text| known.intern(text).0).collect();
        Self::new(
            groups.iter().map(|it| of_group[*it as usize]).collect(),
            known.iter(),
        )
    }

    fn finish(self) -> ArrayRef {
        let keys = if self.keys.contains(&NONE) {
            let keys = self.keys.iter().map(|key| (*key != NONE).then_some(*key));
            keys.collect()
        } else {
            UInt32Array::from(self.keys)
        };
        Arc::new(DictionaryArray::<UInt32Type>::new(
            keys,
            Arc::new(self.values),
        ))
    }
}

/// A column of uids.
#[derive(Debug)]
pub(super) struct UidColumn(Vec<u8>);

impl UidColumn {
    /// A column that expects so many.
    pub fn with_capacity(uids: usize) -> Self {
        Self(Vec::with_capacity(uids * 16))
    }

    /// Appends a uid.
    pub fn push(&mut self, uid: u128) {
        self.0.extend_from_slice(&uid.to_be_bytes());
    }

    fn finish(self) -> ArrayRef {
        Arc::new(FixedSizeBinaryArray::new(16, self.0.into(), None))
    }
}

/// One move, as a row of the table says it.
#[derive(Clone, Copy, Debug)]
pub struct Move<'a> {
    /// From 1.
    pub wave: u32,
    /// Name of the stage, empty without stages.
    pub stage: &'a str,
    /// Cluster of the pod.
    pub cluster: &'a str,
    /// Namespace of the pod.
    pub namespace: &'a str,
    /// Name of the pod.
    pub pod: &'a str,
    /// Uid of the pod.
    pub uid: u128,
    /// Node of the pod, empty while unassigned.
    pub node: &'a str,
    /// Kind of its workload.
    pub workload_kind: &'a str,
    /// Name of its workload.
    pub workload: &'a str,
    /// `in-place`, `recreate`, `surge`, `evict` or `delete`.
    pub kind: &'a str,
    /// JSON object: image by container.
    pub containers: &'a str,
    /// What held it back from the wave before, empty when nothing did.
    pub because: &'a str,
    /// When it begins if nobody waits for a wave to be over, and how long it takes, in milliseconds.
    pub streams: Option<(u64, u64)>,
}

/// When each move begins if nobody waits for a wave to be over, and how long it takes.
#[derive(Debug, Default)]
pub(super) struct Times {
    start_ms: Vec<u64>,
    lasts_ms: Vec<u64>,
}

impl Times {
    /// So many moves more.
    pub fn push(&mut self, start_ms: u64, lasts_ms: u64, moves: u32) {
        let moves = self.start_ms.len() + moves as usize;
        self.start_ms.resize(moves, start_ms);
        self.lasts_ms.resize(moves, lasts_ms);
    }
}

/// Names of the text columns.
const TEXTS: [&str; 9] = [
    "stage",
    "cluster",
    "namespace",
    "node",
    "workload_kind",
    "workload",
    "kind",
    "containers",
    "because",
];

/// Names of the columns of a plan without barriers.
const TIMES: [&str; 2] = ["start_ms", "lasts_ms"];

/// The table of moves; the texts in the order of [`TEXTS`].
pub(super) fn table(
    waves: Vec<u32>,
    pods: StringArray,
    uids: UidColumn,
    texts: [TextColumn; TEXTS.len()],
    times: Option<Times>,
) -> RecordBatch {
    let text = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    let mut fields = vec![
        Field::new("wave", DataType::UInt32, false),
        Field::new("pod", DataType::Utf8, false),
        Field::new("uid", DataType::FixedSizeBinary(16), false),
    ];
    fields.extend(TEXTS.map(|name| Field::new(name, text.clone(), true)));
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from(waves)),
        Arc::new(pods),
        uids.finish(),
    ];
    columns.extend(texts.into_iter().map(TextColumn::finish));
    if let Some(times) = times {
        let named = TIMES.into_iter().zip([times.start_ms, times.lasts_ms]);
        for (name, column) in named {
            fields.push(Field::new(name, DataType::UInt64, false));
            columns.push(Arc::new(UInt64Array::from(column)));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .expect("columns of equal length, of the types of the schema")
}

/// Reads the rows of a table of moves.
#[derive(Debug)]
pub struct MovesReader<'t> {
    waves: &'t UInt32Array,
    pods: &'t StringArray,
    uids: &'t FixedSizeBinaryArray,
    texts: Vec<(&'t UInt32Array, &'t StringArray)>,
    times: Option<[&'t UInt64Array; 2]>,
}

impl<'t> MovesReader<'t> {
    /// Reads a table; `None` when its columns are not those of a plan.
    #[must_use]
    pub fn new(table: &'t RecordBatch) -> Option<Self> {
        let text = |name: &str| {
            let column = table
                .column_by_name(name)?
                .as_dictionary_opt::<UInt32Type>()?;
            Some((column.keys(), column.values().as_string_opt::<i32>()?))
        };
        let time = |name: &str| {
            let column = table.column_by_name(name)?;
            column.as_primitive_opt::<UInt64Type>()
        };
        let [start_ms, lasts_ms] = TIMES.map(time);
        Some(Self {
            times: start_ms.zip(lasts_ms).map(<[_; 2]>::from),
            waves: table
                .column_by_name("wave")?
                .as_primitive_opt::<UInt32Type>()?,
            pods: table.column_by_name("pod")?.as_string_opt::<i32>()?,
            uids: table.column_by_name("uid")?.as_fixed_size_binary_opt()?,
            texts: TEXTS.into_iter().map(text).collect::<Option<_>>()?,
        })
    }

    fn text(&self, column: usize, row: usize) -> &'t str {
        let (keys, values) = self.texts[column];
        if keys.is_valid(row) {
            values.value(keys.value(row) as usize)
        } else {
            ""
        }
    }

    /// One move.
    #[must_use]
    pub fn row(&self, row: usize) -> Move<'t> {
        let uid: [u8; 16] = self.uids.value(row).try_into().expect("sixteen bytes");
        Move {
            wave: self.waves.value(row),
            pod: self.pods.value(row),
            uid: u128::from_be_bytes(uid),
            stage: self.text(0, row),
            cluster: self.text(1, row),
            namespace: self.text(2, row),
            node: self.text(3, row),
            workload_kind: self.text(4, row),
            workload: self.text(5, row),
            kind: self.text(6, row),
            containers: self.text(7, row),
            because: self.text(8, row),
            streams: self
                .times
                .map(|[start, lasts]| (start.value(row), lasts.value(row))),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    wave: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    stage: Option<&'a str>,
    cluster: &'a str,
    namespace: &'a str,
    pod: &'a str,
    uid: &'a str,
    node: Option<&'a str>,
    workload: LineWorkload<'a>,
    kind: &'a str,
    containers: &'a RawValue,
    because: Vec<&'a str>,
}

#[derive(Serialize)]
struct LineWorkload<'a> {
    kind: &'a str,
    name: &'a str,
}

/// Appends a move to `out` as one line of JSON.
pub fn write_line(out: &mut Vec<u8>, each: &Move<'_>) {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let line = Line {
        wave: each.wave,
        start_s: each.streams.map(|(start_ms, _)| seconds(start_ms)),
        seconds: each.streams.map(|(_, lasts_ms)| seconds(lasts_ms)),
        stage: (!each.stage.is_empty()).then_some(each.stage),
        cluster: each.cluster,
        namespace: each.namespace,
        pod: each.pod,
        uid: &uid_text(each.uid),
        node: (!each.node.is_empty()).then_some(each.node),
        workload: LineWorkload {
            kind: each.workload_kind,
            name: each.workload,
        },
        kind: each.kind,
        containers: serde_json::from_str(each.containers).expect("written by this crate"),
        because: each
            .because
            .split(", ")
            .filter(|reason| !reason.is_empty())
            .collect(),
    };
    serde_json::to_writer(&mut *out, &line).expect("a vector takes every byte");
    out.push(b'\n');
}

/// A uid as Kubernetes writes it.
#[must_use]
pub fn uid_text(uid: u128) -> String {
    let hex = format!("{uid:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatch;

    use super::{Move, MovesReader, NONE, TextColumn, Times, UidColumn, table, write_line};

    const MOVE: Move<'_> = Move {
        wave: 7,
        stage: "tenth",
        cluster: "hangzhou",
        namespace: "trade",
        pod: "cart-45q7m",
        uid: 0xd972_b830_5f1e_4691_b704_2efc_b352_bdc2,
        node: "node-0003",
        workload_kind: "CloneSet",
        workload: "cart",
        kind: "in-place",
        containers: r#"{"main":"registry.example.com/cart:1.2.0"}"#,
        because: "budget:pdb/trade/cart",
        streams: None,
    };

    fn table_of(each: &Move<'_>) -> RecordBatch {
        let mut uids = UidColumn::with_capacity(1);
        uids.push(each.uid);
        let texts = [
            each.stage,
            each.cluster,
            each.namespace,
            each.node,
            each.workload_kind,
            each.workload,
            each.kind,
            each.containers,
            each.because,
        ];
        let texts = texts.map(|text| {
            let key = if text.is_empty() { NONE } else { 0 };
            TextColumn::new(vec![key], [text])
        });
        let times = each.streams.map(|(start_ms, lasts_ms)| {
            let mut times = Times::default();
            times.push(start_ms, lasts_ms, 1);
            times
        });
        table(vec![each.wave], vec![each.pod].into(), uids, texts, times)
    }

    #[test]
    fn a_move_is_written_as_the_interface_shows_it() {
        let table = table_of(&MOVE);
        let mut line = Vec::new();
        write_line(&mut line, &MovesReader::new(&table).unwrap().row(0));
        insta::assert_snapshot!(String::from_utf8(line).unwrap(), @r#"{"wave":7,"stage":"tenth","cluster":"hangzhou","namespace":"trade","pod":"cart-45q7m","uid":"d972b830-5f1e-4691-b704-2efcb352bdc2","node":"node-0003","workload":{"kind":"CloneSet","name":"cart"},"kind":"in-place","containers":{"main":"registry.example.com/cart:1.2.0"},"because":["budget:pdb/trade/cart"]}"#);
    }

    #[test]
    fn a_move_that_streams_says_when_it_begins_and_how_long_it_takes() {
        let table = table_of(&Move {
            streams: Some((12_500, 45_000)),
            ..MOVE
        });
        let mut line = Vec::new();
        write_line(&mut line, &MovesReader::new(&table).unwrap().row(0));
        let text = String::from_utf8(line).unwrap();
        let begin = r#"{"wave":7,"start_s":12.5,"seconds":45.0,"stage":"tenth""#;
        assert!(text.starts_with(begin), "{text}");
    }

    #[test]
    fn what_is_not_there_is_null() {
        let table = table_of(&Move {
            stage: "",
            node: "",
            because: "",
            ..MOVE
        });
        let mut line = Vec::new();
        write_line(&mut line, &MovesReader::new(&table).unwrap().row(0));
        let text = String::from_utf8(line).unwrap();
        assert!(
            text.contains(r#""stage":null"#) && text.contains(r#""node":null"#),
            "{text}"
        );
        assert!(text.contains(r#""because":[]"#), "{text}");
    }
}
