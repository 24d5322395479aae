//! Bags: for each row of an entity, some rows of an entity, with weights. Examples: the genres of an item, the words of
//! a title, the items a user has rated.
//!
//! A bag is stored once per row, never per interaction.

use super::entity::{BagFrame, FieldId, Frame, HISTORY, UNKNOWN};

/// One bag per row of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Bag {
    /// Its name and entities.
    pub frame: BagFrame,
    /// Where the members of each row begin, and where those of the last row end.
    starts: Vec<u64>,
    members: Vec<u32>,
    /// The weight of each member; `None` for 1.
    weights: Option<Vec<f32>>,
}

impl Bag {
    /// A bag from its parts; `None` if they do not fit together: `starts` must begin with 0, never decrease and end
    /// with the number of members; either each member has a weight or none has.
    pub fn new(frame: BagFrame, starts: Vec<u64>, members: Vec<u32>, weights: Option<Vec<f32>>) -> Option<Self> {
        let fits = starts.first() == Some(&0)
            && starts.is_sorted()
            && starts.last() == Some(&(members.len() as u64))
            && weights.as_ref().is_none_or(|weights| weights.len() == members.len());
        fits.then_some(Self { frame, starts, members, weights })
    }

    /// The bag with these members and weights of each row.
    pub(crate) fn of_lines<'a>(frame: BagFrame, lines: impl IntoIterator<Item = &'a [(u32, f32)]>) -> Self {
        let (mut starts, mut members, mut weights) = (vec![0], Vec::new(), Vec::new());
        for line in lines {
            for &(member, weight) in line {
                members.push(member);
                weights.push(weight);
            }
            starts.push(members.len() as u64);
        }
        let weights = weights.iter().any(|&weight| weight != 1.0).then_some(weights);
        Self { frame, starts, members, weights }
    }

    /// The rows that each row of the entity of field `owner` met in the field `of`: each once, in ascending order, with
    /// the weight 1/√(their number)   (Koren 2008, eq. 15). `column` gives the indices of a field in the training
    /// interactions.
    pub fn history<'a>(column: impl Fn(FieldId) -> &'a [u32], frame: &Frame, owner: FieldId, of: FieldId) -> Self {
        let mut pairs: Vec<(u32, u32)> = column(owner)
            .iter()
            .zip(column(of))
            .filter(|(owner, of)| **owner != UNKNOWN && **of != UNKNOWN)
            .map(|(&owner, &of)| (owner, of))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0_u64; frame.rows(owner) + 1];
        pairs.iter().for_each(|(owner, _)| starts[*owner as usize + 1] += 1);
        let lengths: Vec<u64> = starts[1..].to_vec();
        for row in 1..starts.len() {
            starts[row] += starts[row - 1];
        }
        let weights =
            lengths.iter().flat_map(|&length| (0..length).map(move |_| 1.0 / (length as f32).sqrt())).collect();
        let members = pairs.into_iter().map(|(_, of)| of).collect();
        let frame =
            BagFrame { name: HISTORY.into(), owner: frame[owner].entity, of: frame[of].entity, is_feature: false };
        Self { frame, starts, members, weights: Some(weights) }
    }

    /// These bags, and behind them those of other rows.
    pub fn followed_by(&self, other: &Self) -> Self {
        let end = self.members.len() as u64;
        let starts = self.starts.iter().copied().chain(other.starts[1..].iter().map(|start| end + start)).collect();
        let ones = |bag: &Self| vec![1.0; bag.members.len()];
        let weights = (self.weights.is_some() || other.weights.is_some())
            .then(|| [self, other].map(|bag| bag.weights.clone().unwrap_or_else(|| ones(bag))).concat());
        let members = [&self.members[..], &other.members].concat();
        Self { frame: self.frame.clone(), starts, members, weights }
    }

    /// The bags of the rows `owners`, with the members that have a new index in `members`, which is [`UNKNOWN`] for others.
    pub(super) fn renumbered(&self, owners: &[u32], members: &[u32]) -> Self {
        let mut starts = vec![0];
        let (mut kept, mut weights) = (Vec::new(), self.weights.as_ref().map(|_| Vec::new()));
        for &owner in owners {
            let (own, of_own) = self.of_row(owner);
            for (at, &member) in own.iter().enumerate().filter(|(_, member)| members[**member as usize] != UNKNOWN) {
                kept.push(members[member as usize]);
                weights.as_mut().into_iter().zip(of_own).for_each(|(weights, own)| weights.push(own[at]));
            }
            starts.push(kept.len() as u64);
        }
        Self { frame: self.frame.clone(), starts, members: kept, weights }
    }

    /// Empty bags of `count` rows.
    pub fn of_none(&self, count: usize) -> Self {
        Self { frame: self.frame.clone(), starts: vec![0; count + 1], members: Vec::new(), weights: None }
    }

    /// Number of rows that have a bag.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The members of a row's bag, and their weights if those are not 1. The bag of an unknown row is empty.
    pub fn of_row(&self, row: u32) -> (&[u32], Option<&[f32]>) {
        if row == UNKNOWN {
            return (&[], None);
        }
        let range = self.starts[row as usize] as usize..self.starts[row as usize + 1] as usize;
        (&self.members[range.clone()], self.weights.as_ref().map(|weights| &weights[range]))
    }

    /// Where members begin, the members, and their weights: the arguments of [`new`](Self::new).
    pub fn parts(&self) -> (&[u64], &[u32], Option<&[f32]>) {
        (&self.starts, &self.members, self.weights.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ITEM, Interactions, USER};

    #[test]
    fn a_history_is_what_was_met_once_each() {
        let mut interactions = Interactions::default();
        for (user, item) in [(1, 2), (0, 1), (1, 0), (1, 2), (UNKNOWN, 1), (2, UNKNOWN)] {
            interactions.push([user, item], 1.0, None);
        }
        let bag = Bag::history(|field| interactions.column(field), &Frame::pair(3, 3), USER, ITEM);
        let half = 1.0 / 2.0_f32.sqrt();
        assert_eq!(bag.of_row(0), (&[1][..], Some(&[1.0][..])));
        assert_eq!(bag.of_row(1), (&[0, 2][..], Some(&[half, half][..])));
        assert_eq!((bag.of_row(2).0.len(), bag.of_row(UNKNOWN).0.len()), (0, 0));
    }

    #[test]
    fn rows_and_members_get_new_numbers() {
        let frame = BagFrame { name: "b".into(), owner: 0, of: 1, is_feature: true };
        let bag = Bag::new(frame, vec![0, 2, 2, 3], vec![4, 5, 5], Some(vec![0.1, 0.2, 0.3])).expect("parts that fit");
        let new = bag.renumbered(&[2, 0], &[UNKNOWN, 1, 2, 3, UNKNOWN, 0]);
        assert_eq!((new.of_row(0), new.of_row(1)), ((&[0][..], Some(&[0.3][..])), (&[0][..], Some(&[0.2][..]))));
        assert_eq!(new.rows(), 2);
    }

    #[test]
    fn parts_have_to_fit() {
        let frame = || BagFrame { name: "b".into(), owner: 0, of: 1, is_feature: false };
        assert!(Bag::new(frame(), vec![0, 2, 2], vec![4, 5], None).is_some());
        for (starts, members, weights) in [
            (vec![], vec![], None),
            (vec![0, 1], vec![4, 5], None),
            (vec![1, 1], vec![4], None),
            (vec![0, 1], vec![4], Some(vec![])),
        ] {
            assert!(Bag::new(frame(), starts, members, weights).is_none());
        }
    }
}
