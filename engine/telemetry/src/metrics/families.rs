//! The metric families that adapters declare, and their series.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwap;

use super::{Count, Gathered, Histogram, Kind, Series, Source, naming};
use crate::{
    Error,
    ledger::Loss,
    record::{Change, Family, FamilyId, FamilyKind, Update},
};

/// Most series of one family; what is over it is counted in one series whose labels are all `other`.
pub const SERIES_MAX: usize = 2_000;
/// Most families of all adapters together.
const FAMILIES_MAX: usize = 128;
/// Most that one update may add to a counter: far above any batch, far below an overflow.
const ADD_MAX: u64 = 1 << 40;

/// One family as an adapter declares it.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The adapter, as problems name it.
    pub owner: Arc<str>,
    /// What it declares.
    pub family: Family,
}

#[derive(Debug)]
enum Cells {
    Counter(Series<Count>),
    Histogram(Series<Histogram>),
}

#[derive(Debug)]
struct Live {
    id: FamilyId,
    family: Family,
    exposed: String,
    cells: Cells,
}

impl Live {
    fn new(id: FamilyId, family: &Family) -> Self {
        let names: Vec<&str> = family.labels.iter().map(String::as_str).collect();
        let cells = match &family.kind {
            FamilyKind::Counter => Cells::Counter(Series::new(&names, SERIES_MAX, Count::default)),
            FamilyKind::Histogram { buckets } => {
                let bounds = buckets.clone();
                Cells::Histogram(Series::new(&names, SERIES_MAX, move || Histogram::new(&bounds)))
            }
        };
        Self { id, family: family.clone(), exposed: naming::exposed(family), cells }
    }

    fn overflowed(&self) -> u64 {
        match &self.cells {
            Cells::Counter(series) => series.overflowed(),
            Cells::Histogram(series) => series.overflowed(),
        }
    }
}

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<FamilyId, Arc<Live>>,
    by_name: HashMap<String, Arc<Live>>,
}

/// All families that the adapters of the serving configuration declare. They are replaced as a whole, with it.
#[derive(Debug, Default)]
pub struct Families {
    table: ArcSwap<Table>,
    last_id: AtomicU64,
}

impl Families {
    /// Whether those declarations could serve together, without changing anything. Gives what a metrics linter will
    /// dislike, or an error that names the owner and the family.
    pub fn validate(declarations: &[Declaration]) -> Result<Vec<String>, Error> {
        let mut dislikes = Vec::new();
        let mut seen: HashMap<String, &Declaration> = HashMap::new();
        for declaration in declarations {
            let Declaration { owner, family } = declaration;
            let refuse = |problem| Error::Family { owner: owner.to_string(), name: family.name.clone(), problem };
            let disliked = naming::check(family).map_err(refuse)?;
            dislikes.extend(disliked.into_iter().map(|text| format!("metric `{}` of {owner}: {text}", family.name)));
            match seen.insert(naming::exposed(family), declaration) {
                Some(other) if other.family != *family => {
                    return Err(refuse(format!(
                        "{} declares it with another kind, help, unit, labels or buckets; rename one",
                        other.owner
                    )));
                }
                _ => {}
            }
        }
        if seen.len() > FAMILIES_MAX
            && let Some(Declaration { owner, family }) = declarations.last()
        {
            let problem = format!("there are {} families; {FAMILIES_MAX} are allowed", seen.len());
            return Err(Error::Family { owner: owner.to_string(), name: family.name.clone(), problem });
        }
        Ok(dislikes)
    }

    /// Makes exactly those families live and gives their ids in order. A family that is already live keeps its id and
    /// its series; one that is not named any more is gone, and updates to it are lost as [`Loss::FamilyGone`].
    ///
    /// # Errors
    /// As [`Families::validate`]; then nothing has changed.
    pub fn replace(&self, declarations: &[Declaration]) -> Result<Vec<FamilyId>, Error> {
        Self::validate(declarations)?;
        let old = self.table.load();
        let mut next = Table::default();
        let mut ids = Vec::with_capacity(declarations.len());
        for Declaration { family, .. } in declarations {
            let name = naming::exposed(family);
            let kept = next.by_name.get(&name).or_else(|| old.by_name.get(&name).filter(|live| live.family == *family));
            let live = match kept {
                Some(live) => Arc::clone(live),
                None => Arc::new(Live::new(FamilyId(self.last_id.fetch_add(1, Relaxed) + 1), family)),
            };
            ids.push(live.id);
            next.by_id.insert(live.id, Arc::clone(&live));
            next.by_name.insert(name, live);
        }
        self.table.store(Arc::new(next));
        Ok(ids)
    }

    /// Applies one update.
    ///
    /// # Errors
    /// [`Loss::FamilyGone`], or [`Loss::Invalid`] when the labels do not fit the family, a value is not finite or too
    /// large, or a counter is observed; then nothing of it was applied.
    pub fn update(&self, update: &Update) -> Result<(), Loss> {
        self.update_shown(update, |_, label| Cow::Borrowed(label))
    }

    /// The same, with every label's name and value shown to `show`, which gives the value to expose.
    pub(crate) fn update_shown<'u>(
        &self,
        update: &'u Update,
        show: impl Fn(&str, &'u str) -> Cow<'u, str>,
    ) -> Result<(), Loss> {
        let table = self.table.load();
        let live = table.by_id.get(&update.family).ok_or(Loss::FamilyGone)?;
        if update.labels.len() != live.family.labels.len() {
            return Err(Loss::Invalid);
        }
        let named = live.family.labels.iter().zip(&update.labels);
        let shown: Vec<Cow<'_, str>> = named.map(|(name, label)| show(name, label)).collect();
        let labels: Vec<&str> = shown.iter().map(|label| super::series::cut(label)).collect();
        match (&live.cells, &update.change) {
            (Cells::Counter(series), Change::Add(by)) if *by <= ADD_MAX => series.cell(&labels).add(*by),
            (Cells::Histogram(series), Change::Observe(values)) if values.iter().all(|value| value.is_finite()) => {
                let cell = series.cell(&labels);
                for value in values {
                    cell.observe(*value);
                }
            }
            _ => return Err(Loss::Invalid),
        }
        Ok(())
    }
}

impl Source for Families {
    fn gather(&self, into: &mut Vec<Gathered>) {
        let mut overflow = Gathered::new(
            "weir_metric_overflow_total",
            "Updates that were counted in the series `other` because their family had too many series.",
            Kind::Counter,
        );
        for (name, live) in &self.table.load().by_name {
            let (kind, samples) = match &live.cells {
                Cells::Counter(series) => (Kind::Counter, series.samples()),
                Cells::Histogram(series) => (Kind::Histogram, series.samples()),
            };
            if live.overflowed() > 0 {
                overflow = overflow.with(&[("family", name)], live.overflowed() as f64);
            }
            into.push(Gathered {
                name: live.exposed.clone(),
                help: live.family.help.clone(),
                unit: live.family.unit.clone(),
                kind,
                samples,
            });
        }
        into.push(overflow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(owner: &str, name: &str, labels: &[&str]) -> Declaration {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let family = Family {
            name: name.into(),
            help: "Requests.".into(),
            unit: String::new(),
            labels,
            kind: FamilyKind::Counter,
        };
        Declaration { owner: owner.into(), family }
    }

    fn add(family: FamilyId, labels: &[&str], by: u64) -> Update {
        Update { family, labels: labels.iter().map(|label| (*label).into()).collect(), change: Change::Add(by) }
    }

    fn sum(families: &Families, name: &str) -> Option<f64> {
        let mut all = Vec::new();
        families.gather(&mut all);
        let family = all.into_iter().find(|family| family.name == name)?;
        Some(family.samples.iter().fold(0.0, |sum, sample| match sample.reading {
            super::super::Reading::Number(number) => sum + number,
            super::super::Reading::Distribution(_) => sum,
        }))
    }

    #[test]
    fn a_family_that_stays_keeps_its_series_and_one_that_goes_loses_its_updates() {
        let families = Families::default();
        let first = families.replace(&[declared("a", "x", &["p"]), declared("b", "y", &[])]).expect("valid");
        families.update(&add(first[0], &["1"], 5)).expect("live");
        let second = families.replace(&[declared("a", "x", &["p"]), declared("b", "y", &["new"])]).expect("valid");
        assert_eq!(first[0], second[0]);
        assert_ne!(first[1], second[1]);
        assert_eq!(sum(&families, "x_total"), Some(5.0));
        assert_eq!(families.update(&add(first[1], &[], 1)), Err(Loss::FamilyGone));
        families.replace(&[]).expect("valid");
        assert_eq!(sum(&families, "x_total"), None);
        assert_eq!(families.update(&add(first[0], &["1"], 5)), Err(Loss::FamilyGone));
    }

    #[test]
    fn two_adapters_share_an_equal_family_and_conflict_over_a_different_one() {
        let families = Families::default();
        let ids = families.replace(&[declared("a", "x", &["p"]), declared("b", "x", &["p"])]).expect("equal");
        assert_eq!(ids[0], ids[1]);
        let error = families.replace(&[declared("a", "x", &["p"]), declared("b", "x", &["q"])]).expect_err("differs");
        assert!(error.to_string().contains("metric `x` of b: a declares it"), "{error}");
        let error = families.replace(&[declared("a", "x", &[]), declared("b", "x_total", &[])]).expect_err("same name");
        assert!(error.to_string().contains("rename one"), "{error}");
        families.update(&add(ids[0], &["1"], 1)).expect("the refused candidate changed nothing");
    }

    #[test]
    fn an_update_that_does_not_fit_is_refused_whole() {
        let families = Families::default();
        let seconds = Declaration {
            owner: "a".into(),
            family: Family {
                kind: FamilyKind::Histogram { buckets: vec![1.0] },
                ..declared("a", "s_seconds", &[]).family
            },
        };
        let ids = families.replace(&[declared("a", "x", &["p"]), seconds]).expect("valid");
        let observe =
            |family, values: &[f64]| Update { family, labels: vec![], change: Change::Observe(values.into()) };
        for update in [
            add(ids[0], &[], 1),
            add(ids[0], &["1", "2"], 1),
            add(ids[0], &["1"], u64::MAX),
            add(ids[1], &[], 1),
            observe(ids[0], &[1.0]),
            observe(ids[1], &[0.5, f64::NAN]),
        ] {
            assert_eq!(families.update(&update), Err(Loss::Invalid), "{update:?}");
        }
        assert_eq!(sum(&families, "x_total"), Some(0.0));
    }

    #[test]
    fn series_over_the_limit_are_kept_in_one_and_counted() {
        let families = Families::default();
        let ids = families.replace(&[declared("a", "x", &["p"])]).expect("valid");
        for n in 0..SERIES_MAX + 50 {
            families.update(&add(ids[0], &[&n.to_string()], 1)).expect("live");
        }
        assert_eq!(sum(&families, "x_total"), Some((SERIES_MAX + 50) as f64));
        assert_eq!(sum(&families, "weir_metric_overflow_total"), Some(50.0));
        let mut all = Vec::new();
        families.gather(&mut all);
        let family = all.iter().find(|family| family.name == "x_total").expect("there");
        assert_eq!(family.samples.len(), SERIES_MAX + 1);
    }
}
