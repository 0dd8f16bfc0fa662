//! Schedules and ramps, applied to a moment.

use crate::model::{Percentage, RampPoint, Schedule, Timestamp};

/// How finely a ramp is followed, in milliseconds.
const STEP: i64 = 1000;

/// A schedule at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scheduled {
    /// Between `from` and `until`.
    pub(super) active: bool,
    /// The ramp's percentage, once it has begun.
    pub(super) percentage: Option<Percentage>,
    /// When that changes next; within a ramp a second later.
    pub(super) next: Option<Timestamp>,
}

/// The schedule at this moment.
pub(super) fn at(schedule: &Schedule, now: Timestamp) -> Scheduled {
    let active = schedule.from.is_none_or(|from| from <= now) && schedule.until.is_none_or(|until| now < until);
    let begun = schedule.ramp.partition_point(|point| point.at <= now);
    let last = begun.checked_sub(1).and_then(|at| schedule.ramp.get(at));
    let coming = schedule.ramp.get(begun);
    let percentage = match (last, coming) {
        (Some(last), Some(coming)) => Some(between(last, coming, now)),
        (Some(last), None) => Some(last.percentage),
        (None, _) => None,
    };
    let climbs = last.zip(coming).is_some_and(|(last, coming)| last.percentage != coming.percentage);
    let step = climbs.then(|| Timestamp::from_millis(now.millis() + STEP));
    let ends = [schedule.from, schedule.until, coming.map(|point| point.at)];
    let next = ends.into_iter().flatten().filter(|end| *end > now).chain(step).min();
    Scheduled { active, percentage, next }
}

/// On the straight line between two points, rounded towards the first.
fn between(last: &RampPoint, coming: &RampPoint, now: Timestamp) -> Percentage {
    let share = |point: &RampPoint| i128::from(point.percentage.thousandths());
    let millis = |from: Timestamp, to: Timestamp| i128::from(to.millis()) - i128::from(from.millis());
    let (passed, whole) = (millis(last.at, now), millis(last.at, coming.at).max(1));
    let thousandths = share(last) + (share(coming) - share(last)) * passed / whole;
    u32::try_from(thousandths).ok().and_then(Percentage::from_thousandths).unwrap_or(last.percentage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn ramp(points: &[(i64, u32)]) -> Vec<RampPoint> {
        let point = |&(at, percent)| RampPoint::new(moment(at), Percentage::from_whole(percent).unwrap());
        points.iter().map(point).collect()
    }

    #[test]
    fn a_schedule_is_active_from_its_beginning_to_before_its_end() {
        let schedule = Schedule { from: Some(moment(10)), until: Some(moment(20)), ..Schedule::default() };
        let check = |now, active, next: Option<i64>| {
            let expected = Scheduled { active, percentage: None, next: next.map(moment) };
            assert_eq!(at(&schedule, moment(now)), expected, "{now}");
        };
        check(9, false, Some(10));
        check(10, true, Some(20));
        check(19, true, Some(20));
        check(20, false, None);
        assert_eq!(at(&Schedule::default(), moment(0)), Scheduled { active: true, percentage: None, next: None });
    }

    #[test]
    fn a_ramp_climbs_in_a_straight_line_and_says_when_to_look_again() {
        let schedule = Schedule { ramp: ramp(&[(100, 10), (200, 50), (300, 50), (400, 0)]), ..Schedule::default() };
        let check = |now, percentage: Option<u32>, next: Option<i64>| {
            let percentage = percentage.and_then(Percentage::from_thousandths);
            let expected = Scheduled { active: true, percentage, next: next.map(moment) };
            assert_eq!(at(&schedule, moment(now)), expected, "{now}");
        };
        check(99, None, Some(100));
        check(100, Some(10_000), Some(101));
        check(150, Some(30_000), Some(151));
        check(151, Some(30_400), Some(152));
        check(200, Some(50_000), Some(300));
        check(250, Some(50_000), Some(300));
        check(350, Some(25_000), Some(351));
        check(400, Some(0), None);
        check(9999, Some(0), None);
    }

    proptest! {
        #[test]
        fn a_climbing_ramp_never_falls(
            mut points in prop::collection::vec((0..1000_i64, 0..=100_u32), 2..6),
            moments in prop::collection::vec(0..1_000_000_i64, 2..50),
        ) {
            points.sort_unstable();
            points.dedup_by_key(|point| point.0);
            let mut shares: Vec<u32> = points.iter().map(|point| point.1).collect();
            shares.sort_unstable();
            let points: Vec<_> = points.iter().zip(shares).map(|(point, share)| (point.0, share)).collect();
            let schedule = Schedule { ramp: ramp(&points), ..Schedule::default() };
            let mut moments = moments;
            moments.sort_unstable();
            let shares: Vec<_> = moments.iter().map(|now| at(&schedule, Timestamp::from_millis(*now)).percentage).collect();
            prop_assert!(shares.is_sorted(), "{shares:?}");
        }
    }
}
