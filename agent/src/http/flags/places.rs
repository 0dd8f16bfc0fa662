//! Places for streams: bounded in all, and for each token, so that no token alone takes them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::access::TokenId;
use crate::http::access::Counters;

/// Places for streams. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Places {
    most: usize,
    most_each: usize,
    taken: Arc<Mutex<Taken>>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    each: HashMap<TokenId, usize>,
}

/// A stream's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    token: Option<TokenId>,
}

impl Places {
    pub(super) fn new(most: usize, most_each: usize, counters: Arc<Counters>) -> Self {
        Self { most, most_each, taken: Arc::default(), counters }
    }

    /// A place for a stream of this token; `None`: there is none.
    pub(super) fn take(&self, token: Option<&TokenId>) -> Option<Place> {
        let place = self.free(token);
        let count = if place.is_some() { &self.counters.streams } else { &self.counters.full };
        count.add();
        place
    }

    fn free(&self, token: Option<&TokenId>) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.most {
            return None;
        }
        if let Some(token) = token {
            let own = taken.each.entry(token.clone()).or_insert(0);
            if *own >= self.most_each {
                return None;
            }
            *own += 1;
        }
        taken.all += 1;
        Some(Place { places: self.clone(), token: token.cloned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.counters.streams.remove();
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        let Some(token) = &self.token else { return };
        if let Some(own) = taken.each.get_mut(token) {
            *own -= 1;
            if *own == 0 {
                taken.each.remove(token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_takes_all_places_and_each_is_given_back() {
        let counters = Arc::<Counters>::default();
        let places = Places::new(3, 2, counters.clone());
        let [one, other]: [TokenId; 2] = ["0123456789ab".parse().unwrap(), "0123456789ac".parse().unwrap()];
        let held: Vec<Place> = [places.take(Some(&one)), places.take(Some(&one))].into_iter().flatten().collect();
        assert!(held.len() == 2 && places.take(Some(&one)).is_none(), "it has two");
        let last = places.take(Some(&other));
        assert!(last.is_some() && places.take(None).is_none(), "there are three");
        assert_eq!((counters.streams.get(), counters.full.get()), (3, 2));
        drop((held, last));
        assert_eq!(counters.streams.get(), 0);
        assert!(places.taken.lock().unwrap().each.is_empty());
        assert!(places.take(Some(&one)).is_some());
    }
}
