//! What holds of every bucketing.

use proptest::prelude::*;

use super::{Bucketing, General, Hash};
use crate::model::Percentage;

/// The values of chi-squared that are exceeded by chance once in a thousand times (NIST/SEMATECH e-Handbook, 1.3.6.7.4).
const CRITICAL_9: f64 = 27.877;
const CRITICAL_99: f64 = 148.230;

fn general(hash: Hash, input: &str, modulo: u32) -> Bucketing {
    Bucketing::General(General { hash, input: input.into(), modulo })
}

fn all() -> Vec<Bucketing> {
    let usual = Hash::ALL.map(|(hash, _)| general(hash, "{name}:{user}", 100));
    let fine = Hash::ALL.map(|(hash, _)| general(hash, "{user}.{name}", 1_000_003));
    [Bucketing::Teal1, Bucketing::Unleash, Bucketing::Flagd].into_iter().chain(usual).chain(fine).collect()
}

fn percent(whole: usize) -> Percentage {
    u32::try_from(whole).ok().and_then(Percentage::from_whole).unwrap()
}

/// The smallest share, in whole percents less one, in which a value is: 0..100.
fn hundredth(bucketing: &Bucketing, salt: &str, value: &str) -> usize {
    let (mut outside, mut inside) = (0, 100);
    while outside + 1 < inside {
        let middle = usize::midpoint(outside, inside);
        if bucketing.includes(salt, value, percent(middle)) { inside = middle } else { outside = middle }
    }
    outside
}

fn users() -> impl Iterator<Item = String> {
    (0..10_000).map(|user| format!("user-{user}"))
}

/// How far the counts are from being even.
fn chi_squared(counts: &[u32]) -> f64 {
    let expected = f64::from(counts.iter().sum::<u32>()) / f64::from(u32::try_from(counts.len()).unwrap());
    counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
}

#[test]
fn every_bucketing_deals_users_evenly() {
    for bucketing in all() {
        let mut counts = [0; 100];
        users().for_each(|user| counts[hundredth(&bucketing, "new-editor", &user)] += 1);
        let found = chi_squared(&counts);
        assert!(found < CRITICAL_99, "{bucketing:?}: {found}");
    }
}

/// FNV-1a and CRC-32 mix too little for that: what they do to a user under one salt tells what they do under another.
fn mixes(bucketing: &Bucketing) -> bool {
    !matches!(bucketing, Bucketing::General(General { hash: Hash::Fnv1a32 | Hash::Crc32, .. }))
}

#[test]
fn two_salts_deal_users_independently() {
    for bucketing in all().into_iter().filter(mixes) {
        let mut counts = [0; 100];
        for user in users() {
            let tenth = |salt| hundredth(&bucketing, salt, &user) / 10;
            counts[tenth("new-editor") * 10 + tenth("old-editor")] += 1;
        }
        let found = chi_squared(&counts);
        assert!(found < CRITICAL_99, "{bucketing:?}: {found}");
    }
}

#[test]
fn variants_are_drawn_evenly_among_those_in_a_share() {
    for bucketing in all() {
        for share in [percent(7), percent(30), percent(100)] {
            let mut counts = [0; 10];
            for user in users().filter(|user| bucketing.includes("new-editor", user, share)) {
                counts[bucketing.draw("new-editor", &user, share, 10) as usize] += 1;
            }
            let found = chi_squared(&counts);
            assert!(found < CRITICAL_9, "{bucketing:?} of {share} %: {found}");
        }
    }
}

#[test]
fn a_flagd_distribution_is_a_share_and_weights_within_it() {
    let bucketing = Bucketing::Flagd;
    for user in users() {
        let of_100 = bucketing.draw("header", &user, Percentage::ALL, 100);
        let share = percent(40);
        let here = bucketing.includes("header", &user, share).then(|| bucketing.draw("header", &user, share, 40) < 25);
        let there = (of_100 < 40).then_some(of_100 < 25);
        assert_eq!(here, there, "{user}");
    }
}

proptest! {
    #[test]
    fn raising_a_share_only_adds_users(
        bucketing in prop::sample::select(all()),
        (salt, value) in (".{0,12}", ".{0,40}"),
        (a, b) in (0..=100_000_u32, 0..=100_000_u32),
    ) {
        let share = |thousandths| Percentage::from_thousandths(thousandths).unwrap();
        let includes = |share| bucketing.includes(&salt, &value, share);
        prop_assert!(!includes(share(a.min(b))) || includes(share(a.max(b))));
        prop_assert!(!includes(Percentage::NONE) && includes(Percentage::ALL));
    }

    #[test]
    fn a_draw_is_below_the_total(
        bucketing in prop::sample::select(all()),
        (salt, value) in (".{0,12}", ".{0,40}"),
        share in 0..=100_000_u32,
        total in 1..=u32::MAX,
    ) {
        let share = Percentage::from_thousandths(share).unwrap();
        prop_assert!(bucketing.draw(&salt, &value, share, total) < total);
        prop_assert_eq!(bucketing.draw(&salt, &value, share, 0), 0);
    }
}
