//! Macros that go through lists and maps.

use super::{Budget, Cx, Local, Run, Watch, known::Needed};
use crate::{
    ast::Fold,
    error::{EvalErrorKind, EvalErrorKind::NoOverload, Fault},
    functions::sorted,
    plan::{FoldPlan, FoldTest},
    value::{Entries, List, Map, Value},
};

/// What a macro goes through.
enum Items<'a> {
    List(List<'a>),
    /// The keys, and the map for their values.
    Map(Vec<Value<'a>>, Map<'a>),
}

impl<'a> Items<'a> {
    fn of<W: Watch>(range: Value<'a>, cx: &mut Cx<'a, '_, W>) -> Result<Self, EvalErrorKind> {
        match range {
            Value::List(list) => Ok(Self::List(list)),
            Value::Map(map) => Ok(Self::Map(map.keys(cx.budget())?, map)),
            _ => Err(NoOverload),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Map(keys, _) => keys.len(),
        }
    }

    /// The key of an item: its place in a list.
    fn key(&self, index: usize) -> Value<'a> {
        match self {
            Self::List(_) => Value::Int(index as i64),
            Self::Map(keys, _) => keys.get(index).cloned().unwrap_or(Value::Null),
        }
    }

    /// What a single variable stands for: an element of a list, a key of a map.
    fn item(&self, index: usize) -> Value<'a> {
        match self {
            Self::List(list) => list.get(index).cloned().unwrap_or(Value::Null),
            Self::Map(..) => self.key(index),
        }
    }

    fn value<W: Watch>(&self, index: usize, cx: &mut Cx<'a, '_, W>) -> Result<Value<'a>, EvalErrorKind> {
        match self {
            Self::List(_) => Ok(self.item(index)),
            Self::Map(_, map) => {
                let key = self.key(index);
                map.get(&key, cx.budget())?.ok_or(EvalErrorKind::AbsentKey)
            }
        }
    }
}

/// Puts the variables of a round where its body finds them.
fn enter<'a, W: Watch>(
    items: &Items<'a>,
    index: usize,
    two: bool,
    cx: &mut Cx<'a, '_, W>,
) -> Result<(), EvalErrorKind> {
    if two {
        let value = items.value(index, cx)?;
        cx.locals.push(Local::Own(items.key(index)));
        cx.locals.push(Local::Own(value));
    } else {
        cx.locals.push(Local::Own(items.item(index)));
    }
    Ok(())
}

impl FoldTest {
    #[inline(never)]
    pub(super) fn run<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
        let place = |kind: EvalErrorKind| Fault::new(kind, self.at);
        let range = self.range.run(cx)?;
        let outer = cx.locals.len();
        let outcome = match range {
            Value::List(List::Borrowed(list)) if !self.two => self.elements(list, Local::Lent, cx),
            Value::List(list) if !self.two => self.elements(&list, |element| Local::Own(element.clone()), cx),
            range => self.items(&Items::of(range, cx).map_err(place)?, cx),
        };
        cx.locals.truncate(outer);
        outcome
    }

    /// The elements of a list, each put where the one before it was.
    fn elements<'a, 'l, W: Watch>(
        &'a self,
        list: &'l [Value<'a>],
        local: impl Fn(&'l Value<'a>) -> Local<'a>,
        cx: &mut Cx<'a, '_, W>,
    ) -> Run<bool> {
        let (mut tally, outer) = (Tally::default(), cx.locals.len());
        let only = self.only.is_some_and(|index| usize::from(index) == outer);
        for (index, element) in list.iter().enumerate() {
            cx.budget().spend(self.cost).map_err(|kind| Fault::new(kind, self.at))?;
            let outcome = match element {
                Value::String(text) if only => Ok(self.body.holds(text)),
                element => {
                    cx.locals.truncate(outer);
                    cx.locals.push(local(element));
                    if W::NODES {
                        cx.tell_round(index, false, self.at)?;
                    }
                    self.body.run(cx)
                }
            };
            if let Some(decided) = tally.count(self.fold, outcome, cx)? {
                return Ok(decided);
            }
        }
        tally.total(self.fold)
    }

    fn items<'a, W: Watch>(&'a self, items: &Items<'a>, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
        let place = |kind: EvalErrorKind| Fault::new(kind, self.at);
        let (mut tally, outer) = (Tally::default(), cx.locals.len());
        for index in 0..items.len() {
            cx.budget().spend(self.cost).map_err(place)?;
            let entered = enter(items, index, self.two, cx).map_err(place);
            if W::NODES && entered.is_ok() {
                cx.tell_round(index, self.two, self.at)?;
            }
            let outcome = entered.and_then(|()| self.body.run(cx));
            cx.locals.truncate(outer);
            if let Some(decided) = tally.count(self.fold, outcome, cx)? {
                return Ok(decided);
            }
        }
        tally.total(self.fold)
    }
}

/// What the rounds of a test gave so far.
#[derive(Default)]
struct Tally {
    first: Option<Fault>,
    hits: usize,
}

impl Tally {
    /// Takes in a round; gives the outcome when that decides it.
    #[inline]
    fn count<W: Watch>(&mut self, fold: Fold, outcome: Run<bool>, cx: &mut Cx<'_, '_, W>) -> Run<Option<bool>> {
        match (fold, outcome) {
            (Fold::All, Ok(false)) => return Ok(Some(false)),
            (Fold::Exists, Ok(true)) => return Ok(Some(true)),
            (_, Ok(value)) => self.hits += usize::from(value),
            (fold, Err(fault)) if fault.is_absorbed(fold != Fold::ExistsOne) => {
                self.first = cx.undecided(self.first, fault)?;
            }
            (_, Err(fault)) => return Err(fault),
        }
        Ok(None)
    }

    fn total(self, fold: Fold) -> Run<bool> {
        match (self.first, fold) {
            (Some(fault), _) => Err(fault),
            (None, Fold::ExistsOne) => Ok(self.hits == 1),
            (None, fold) => Ok(fold == Fold::All),
        }
    }
}

/// Puts the entries of a map into another; a key that stands in both is an error.
fn merge<'a>(map: &mut Entries<'a>, entries: &Value<'a>, budget: &mut Budget) -> Result<(), EvalErrorKind> {
    let Value::Map(entries) = entries else { return Err(NoOverload) };
    for key in entries.keys(budget)? {
        if let Some(value) = entries.get(&key, budget)? {
            map.insert(key, value, budget)?;
        }
    }
    Ok(())
}

impl FoldPlan {
    #[inline(never)]
    pub(super) fn run<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
        let place = |kind: EvalErrorKind| Fault::new(kind, self.at);
        let range = self.range.run(cx)?;
        let items = Items::of(range, cx).map_err(place)?;
        let outer = cx.locals.len();
        if self.fold == Fold::SortBy && matches!(items, Items::Map(..)) {
            return Err(place(NoOverload));
        }
        let (mut list, mut map, mut needed) = (Vec::new(), Entries::default(), Needed::default());
        // What `sortBy` sorts: its list holds the keys.
        let mut elements = Vec::new();
        for index in 0..items.len() {
            cx.budget().spend(self.cost).map_err(place)?;
            let entered = enter(&items, index, self.two, cx).map_err(place);
            if W::NODES && entered.is_ok() {
                cx.tell_round(index, self.two, self.at)?;
            }
            let outcome = entered.and_then(|()| self.round(&items, index, cx));
            cx.locals.truncate(outer);
            let Some(value) = needed.take(outcome, cx)?.flatten() else { continue };
            match self.fold {
                Fold::TransformMap => map.insert(items.key(index), value, cx.budget()).map_err(place)?,
                Fold::TransformMapEntry => merge(&mut map, &value, cx.budget()).map_err(place)?,
                Fold::SortBy => {
                    cx.budget().grow(4 * size_of::<Value<'_>>()).map_err(place)?;
                    elements.push(items.item(index));
                    list.push(value);
                }
                _ => {
                    cx.budget().grow(2 * size_of::<Value<'_>>()).map_err(place)?;
                    list.push(value);
                }
            }
        }
        needed.all_known::<W>()?;
        if self.fold == Fold::SortBy {
            return sorted(&elements, &list, cx.budget()).map_err(place);
        }
        Ok(if matches!(self.fold, Fold::TransformMap | Fold::TransformMapEntry) {
            Value::Map(Map::new(map))
        } else {
            Value::shared_list(list)
        })
    }

    /// What one item becomes; none when it is filtered out.
    fn round<'a, W: Watch>(
        &'a self,
        items: &Items<'a>,
        index: usize,
        cx: &mut Cx<'a, '_, W>,
    ) -> Run<Option<Value<'a>>> {
        if let Some(filter) = &self.filter
            && !filter.run(cx)?
        {
            return Ok(None);
        }
        if self.fold == Fold::Filter {
            return Ok(Some(items.item(index)));
        }
        self.body.run(cx).map(Some)
    }
}
