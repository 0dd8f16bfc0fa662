//! A list that most often has one member, which then lies in place: the next thing that is read is on the next cache line, and is
//! fetched without first learning where it is.

/// Any number of members, one of them in place.
#[derive(Debug)]
pub(crate) enum Few<T> {
    /// Just this.
    One(T),
    /// None, or several.
    Many(Box<[T]>),
}

impl<T> Few<T> {
    #[inline]
    pub(crate) const fn as_slice(&self) -> &[T] {
        match self {
            Self::One(only) => std::slice::from_ref(only),
            Self::Many(all) => all,
        }
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        members.into_iter().collect::<Vec<_>>().into()
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(mut members: Vec<T>) -> Self {
        match members.pop() {
            Some(only) if members.is_empty() => Self::One(only),
            last => {
                members.extend(last);
                Self::Many(members.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_members_is_kept_in_order() {
        for count in 0..4 {
            let members: Vec<u32> = (0..count).collect();
            let kept = Few::from(members.clone());
            assert_eq!(kept.as_slice(), members);
            assert_eq!(matches!(kept, Few::One(_)), count == 1);
        }
    }
}
