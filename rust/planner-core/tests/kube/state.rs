//! Whether a pod serves, and for whom.

use planner_core::batch::flags;
use serde_json::json;

use crate::fixture::{NOW_S, Pod, broken, fleet, with_pods};

fn ready_for(seconds: u32) -> Pod {
    Pod {
        ready_since_s: NOW_S - seconds,
        ..Pod::default()
    }
}

#[test]
fn down_is_not_ready_or_deleting() {
    let ready = Pod::default();
    let deleting = Pod {
        flags: ready.flags | flags::DELETING,
        ..ready.clone()
    };
    with_pods(&fleet(&[ready, deleting, broken("b")]), |pods| {
        assert_eq!([0, 1, 2].map(|row| pods.is_down(row)), [false, true, true]);
        assert_eq!(
            [0, 1, 2].map(|row| pods.is_available(row, 0)),
            [true, false, false]
        );
    });
}

#[test]
fn availability_comes_with_time() {
    with_pods(
        &fleet(&[ready_for(9), ready_for(10), ready_for(0)]),
        |pods| {
            assert_eq!([0, 1].map(|row| pods.is_available(row, 10)), [false, true]);
            assert!(pods.is_available(2, 0));
        },
    );
}

#[test]
fn a_clone_set_asks_for_more() {
    let in_state = |state: &str| Pod {
        labels: json!({"lifecycle.apps.kruise.io/state": state}),
        ..Pod::default()
    };
    let shut = flags::RUNNING | flags::READY | flags::IN_PLACE_UPDATE_SHUT;
    let pods = [
        Pod::default(),
        in_state("Normal"),
        in_state("Updating"),
        Pod {
            flags: shut,
            ..Pod::default()
        },
        Pod {
            flags: flags::READY,
            ..Pod::default()
        },
    ];
    with_pods(&fleet(&pods), |pods| {
        let available = [0, 1, 2, 3, 4].map(|row| pods.is_clone_set_available(row, 0));
        assert_eq!(available, [true, true, false, false, false]);
        assert!([0, 1, 2, 3, 4].iter().all(|row| pods.is_available(*row, 0)));
    });
}
