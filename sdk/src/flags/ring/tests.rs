//! A model of a queue, and two threads.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::thread;

use proptest::prelude::*;

use super::*;

fn emptied(ring: &Ring) -> Vec<(u32, u64)> {
    let mut all = Vec::new();
    ring.empty(|count, user| all.push((count, user)));
    all
}

proptest! {
    #[test]
    fn it_is_a_queue_that_drops_what_finds_no_room(
        steps in prop::collection::vec(prop_oneof![4 => (0..700_u32).prop_map(Some), 1 => Just(None)], 1..40),
    ) {
        let (ring, mut model, mut dropped, mut next) = (Ring::default(), VecDeque::new(), 0_u64, 0_u32);
        for step in steps {
            match step {
                Some(pushes) => for _ in 0..pushes {
                    next += 1;
                    ring.push(next, u64::from(next) << 32);
                    if (model.len() as u64) < SIZE { model.push_back((next, u64::from(next) << 32)) } else { dropped += 1 }
                },
                None => prop_assert_eq!(emptied(&ring), model.drain(..).collect::<Vec<_>>()),
            }
            prop_assert_eq!(ring.take_dropped(), std::mem::take::<u64>(&mut dropped));
        }
        prop_assert_eq!(emptied(&ring), Vec::from(model));
    }
}

#[test]
fn nothing_is_torn_lost_or_doubled_between_two_threads() {
    const PUSHED: u32 = 300_000;
    let (ring, is_over) = (Ring::default(), AtomicBool::new(false));
    let seen = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = Vec::new();
            loop {
                let was_over = is_over.load(Ordering::Acquire);
                seen.extend(emptied(&ring));
                if was_over {
                    return seen;
                }
            }
        });
        for number in 0..PUSHED {
            ring.push(number, u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        is_over.store(true, Ordering::Release);
        reader.join().unwrap()
    });
    assert_eq!(seen.len() as u64 + ring.take_dropped(), u64::from(PUSHED));
    assert!(seen.is_sorted_by(|(one, _), (next, _)| one < next));
    assert!(seen.iter().all(|(number, user)| *user == u64::from(*number).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
}
