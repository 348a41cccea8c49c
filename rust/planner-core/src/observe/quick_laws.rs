//! The quick way gives what the slow way gives, which is nothing but `serde_json` and the columns.

use proptest::prelude::*;

use super::{
    envelope::each_document,
    intake::Intake,
    object::{PodChunk, read_chunk, read_slowly},
    quick_samples::pods,
    redact::Salt,
    text::{Fault, offset_of},
};
use crate::{
    batch::Batch,
    error::InputError,
    fleet::{Pod, PodRow},
};

const SALT: Salt = Salt([5; 32]);

/// Every text, every pod and the newest time.
type Told<'a> = Result<(Vec<&'a str>, Vec<Pod<'a>>, u32), Fault>;

fn told(read: &Result<PodChunk, Fault>) -> Told<'_> {
    let chunk = read.as_ref().map_err(Clone::clone)?;
    let rows = (0..chunk.pods.len() as PodRow).map(|row| chunk.pods.get(row));
    Ok((chunk.texts.iter().collect(), rows.collect(), chunk.newest_s))
}

fn slowly(text: &str, items: &[&str]) -> Result<PodChunk, Fault> {
    let mut chunk = PodChunk::default();
    for item in items {
        let newest_s = read_slowly(offset_of(text, item), item, &SALT, &mut chunk)?;
        chunk.newest_s = chunk.newest_s.max(newest_s);
    }
    Ok(chunk)
}

/// What is read of a list, and whether its items were guessed.
fn taken(list: &str) -> (Result<Vec<Vec<u8>>, InputError>, bool) {
    let mut intake = Intake::new(SALT, false);
    let read = intake
        .add("list", list.as_bytes())
        .and_then(|()| intake.finish());
    let mut is_guessed = false;
    let seen = each_document(list, |it| {
        is_guessed |= it.envelope.is_guessed;
        Ok(())
    });
    seen.ok();
    (
        read.map(|batches| batches.iter().map(Batch::to_bytes).collect()),
        is_guessed,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_quick_way_says_what_the_slow_way_says(seed: u64) {
        // Lists with a pod that is wrong end there, so most have none.
        let text = pods(seed).join("\u{1}");
        let items: Vec<_> = text.split('\u{1}')
            .filter(|item| seed % 4 == 0 || slowly(&text, &[item]).is_ok())
            .collect();
        let (quick, slow) = (read_chunk(&text, &items, &SALT), slowly(&text, &items));
        prop_assert_eq!(told(&quick), told(&slow));
    }

    #[test]
    fn damage_is_told_as_the_slow_way_tells_it(seed: u64, at: prop::sample::Index, byte in 1u8..127) {
        let mut texts = pods(seed);
        texts.retain(|item| slowly(item, &[item]).is_ok());
        prop_assume!(!texts.is_empty());
        let mut bytes = texts.join("\u{1}").into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at].is_ascii() && bytes[at] != 1 && byte != 1);
        bytes[at] = byte;
        let text = String::from_utf8(bytes).expect("one ASCII byte for another");
        let items: Vec<_> = text.split('\u{1}').collect();
        let (quick, slow) = (read_chunk(&text, &items, &SALT), slowly(&text, &items));
        // Damage in what nobody reads may go unnoticed, and nothing else.
        if slow.is_ok() || quick.is_err() {
            prop_assert_eq!(told(&quick), told(&slow));
        }
    }

    #[test]
    fn a_list_whose_items_are_guessed_is_the_list(
        seed: u64,
        space in "[ \n]{0,2}",
        damage in prop::option::of((any::<prop::sample::Index>(), 1u8..127)),
    ) {
        let all = pods(seed);
        let items = all.iter().filter(|item| slowly(item, &[item]).is_ok());
        let items = items.map(|item| item.as_str().trim());
        let items = items.collect::<Vec<_>>().join(&format!("{space},{space}"));
        let mut items = items.into_bytes();
        if let Some((at, byte)) = damage.filter(|_| !items.is_empty()) {
            let at = at.index(items.len());
            if items[at].is_ascii() {
                items[at] = byte;
            }
        }
        let items = String::from_utf8(items).expect("one ASCII byte for another");
        // Only where `kind` goes before `items` it is known that they are pods. Both have as many bytes.
        let kind = r#""kind":"PodList","apiVersion":"v1","#;
        let before = format!("{{{kind}\"items\":[{items}]}}");
        let after = format!("{{{}\"items\":[{items}],{}}}", " ".repeat(kind.len()), kind.trim_end_matches(','));
        let ((guessed, _), (exact, is_guessed)) = (taken(&before), taken(&after));
        prop_assert!(!is_guessed);
        // Damage in what nobody reads may go unnoticed, and nothing else.
        prop_assert!(guessed == exact || damage.is_some() && guessed.is_ok());
    }
}

#[test]
fn what_begins_like_a_pod_is_no_pod() {
    let pod = |number: u8, status: &str| {
        let uid = format!("401598b1-3f34-4eee-afe2-d156af76ff{number:02}");
        format!(
            r#"{{"metadata":{{"name":"cart-{number}","namespace":"trade","uid":"{uid}"}},"status":{status}}}"#
        )
    };
    let (one, other) = (pod(1, "{}"), pod(2, "{}"));
    let nested = pod(3, r#"{"of":[{"a":1},{"metadata":{"name":1}}]}"#);
    for items in [
        vec![&*nested, &*one],
        vec![&*one, &*nested],
        vec![&*one, &*nested, &*other],
    ] {
        let items = items.join(",");
        let list = format!(r#"{{"kind":"PodList","apiVersion":"v1","items":[{items}]}}"#);
        let exact = list.replacen('{', r#"{"x":0,"#, 1);
        assert_eq!(taken(&list).0, taken(&exact).0);
        // Items may seem to go on in the list after it.
        let rest = items.replace("af76ff", "af76fe").replace("cart", "pay");
        let twice = list.clone() + &list.replace(&items, &rest);
        assert_eq!(
            taken(&twice).0,
            taken(&exact.replace(&items, &format!("{items},{rest}"))).0
        );
    }
}
