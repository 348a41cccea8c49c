//! The quick way gives what the slow way gives, which is nothing but `serde_json` and the columns.

use proptest::prelude::*;

use super::{
    object::{PodChunk, read_chunk, read_slowly},
    quick_samples::pods,
    redact::Salt,
    text::{Fault, offset_of},
};
use crate::fleet::{Pod, PodRow};

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
}
