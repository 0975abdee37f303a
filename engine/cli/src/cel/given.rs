//! Requests as people write them: what expressions are evaluated on.
//!
//! One YAML document is one request. It has the names that expressions have, nested or dotted, in any mix.

mod bag;
#[cfg(test)]
mod tests;
mod value;

use std::{
    collections::HashSet,
    ops::Range,
    path::{Path, PathBuf},
};

use clap::Args;
use weir_attributes::{Bag, Slot, slot};
use weir_cel::{Activation, Origin, Value};
use weir_config::{Diagnostic, Node, Yaml, documents, nearest};

pub(super) use value::ty;

use super::{
    expression::{self, Source},
    names::{Meaning, Names},
};
use crate::{failure::Failure, terminal::tell};

/// Bytes of one file of requests.
const FILE_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct Inputs {
    /// A file of requests in YAML, one a document; - is standard input. Repeatable.
    #[arg(short, long, value_name = "FILE")]
    input: Vec<PathBuf>,
}

/// What one request says.
#[derive(Debug, Default)]
pub(super) struct Given {
    bag: Bag,
    /// Attributes of which it is known whether they are there.
    known: HashSet<Slot>,
    variables: Vec<Option<Value<'static>>>,
    /// What is not as it was told.
    note: Option<String>,
}

/// A request, and where it stands; nowhere when nobody told one.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// File and line.
    pub(super) place: String,
    pub(super) given: Given,
}

impl Inputs {
    pub(super) fn is_given(&self) -> bool {
        !self.input.is_empty()
    }

    pub(super) fn is_standard_input(&self) -> bool {
        self.input.iter().any(|file| file == Path::new("-"))
    }

    /// Standard input can be read once: as the expression, or as one of the files.
    pub(super) fn share_with(&self, source: &Source) -> Result<(), Failure> {
        let reads = self.input.iter().filter(|file| *file == Path::new("-")).count();
        if reads + usize::from(source.is_standard_input()) > 1 {
            return Err(Failure::Usage(
                "standard input can be read only once: name a file instead of one `-`".to_owned(),
            ));
        }
        Ok(())
    }

    /// The requests of all files; an empty one when there is no file.
    pub(super) fn read(&self, names: &Names) -> Result<Vec<Document>, Failure> {
        if self.input.is_empty() {
            return Ok(vec![Document::default()]);
        }
        let mut all = Vec::new();
        for file in &self.input {
            all.extend(load(file, names)?);
        }
        Ok(all)
    }
}

/// The requests of one file; what is wrong with them is said on standard error.
pub(super) fn load(file: &Path, names: &Names) -> Result<Vec<Document>, Failure> {
    let text = expression::read(file, FILE_BYTES_MAX)?;
    let shown = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    let found = parse(&shown, &text, names).map_err(|diagnostics| expression::complain(&diagnostics))?;
    if found.is_empty() {
        return Err(Failure::Usage(format!(
            "{shown}: no request in it; write one, such as `request: {{method: GET}}`"
        )));
    }
    for note in found.iter().filter_map(|document| document.given.note.as_deref()) {
        tell(&format!("note: {note}\n"));
    }
    Ok(found)
}

fn parse(file: &str, text: &str, names: &Names) -> Result<Vec<Document>, Vec<Diagnostic>> {
    let nodes = documents(file, text).map_err(|diagnostics| diagnostics.into_iter().collect::<Vec<_>>())?;
    let mut reader = Reader { file, text, names, problems: Vec::new() };
    let all: Vec<Document> = nodes.iter().map(|node| reader.document(node)).collect();
    if reader.problems.is_empty() { Ok(all) } else { Err(reader.problems) }
}

/// The bags of requests that stand in a larger document, such as a plugin's test; with `all` they may know the response.
///
/// # Errors
/// What is wrong with them, each with its place.
pub(crate) fn requests(file: &str, text: &str, nodes: &[&Node], all: bool) -> Result<Vec<Bag>, Vec<Diagnostic>> {
    let names = Names::of_vocabulary(all);
    let mut reader = Reader { file, text, names: &names, problems: Vec::new() };
    let bags = nodes.iter().map(|node| reader.document(node).given.bag).collect();
    if reader.problems.is_empty() { Ok(bags) } else { Err(reader.problems) }
}

/// Something that is wrong, and the way out.
#[derive(Debug)]
struct Wrong {
    range: Range<usize>,
    message: String,
    help: String,
}

impl Wrong {
    fn new(range: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { range, message: message.into(), help: help.into() }
    }
}

/// How many problems are told; the rest comes when these are gone.
const PROBLEMS_MAX: usize = 20;

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    names: &'t Names,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn wrong(&mut self, wrong: Wrong) {
        if self.problems.len() < PROBLEMS_MAX {
            let diagnostic = Diagnostic::at(self.file, self.text, wrong.range, wrong.message);
            self.problems.push(diagnostic.help(Some(wrong.help)));
        }
    }

    fn document(&mut self, node: &Node) -> Document {
        let line = self.text.get(..node.range().start).unwrap_or_default().matches('\n').count() + 1;
        let mut told = Told { variables: vec![None; self.names.variables.len()], ..Told::default() };
        match node.yaml() {
            Yaml::Mapping(entries) => self.level("", entries, &mut told),
            _ => self.wrong(Wrong::new(
                node.range(),
                "a request is a mapping of names to values",
                "write `request: {method: GET}`",
            )),
        }
        let (bag, known) = bag::fill(told.attributes).unwrap_or_else(|wrong| {
            self.wrong(wrong);
            Default::default()
        });
        let place = format!("{}:{line}", self.file);
        let note = bag::note(&bag).map(|note| format!("{place}: {note}"));
        Document { place, given: Given { bag, known, variables: told.variables, note } }
    }

    /// The entries of a mapping whose names all begin with `prefix`.
    fn level(&mut self, prefix: &str, entries: &[(String, Range<usize>, Node)], told: &mut Told) {
        for (key, range, value) in entries {
            let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            let Some(meaning) = self.names.find(&name) else {
                match value.yaml() {
                    Yaml::Mapping(entries) if self.names.begins(&name) => self.level(&name, entries, told),
                    _ => self.wrong(unknown(self.names, &name, range.clone())),
                }
                continue;
            };
            if !told.seen.insert(name.clone()) {
                let help = "write it once, nested or dotted";
                self.wrong(Wrong::new(range.clone(), format!("`{name}` is told twice"), help));
                continue;
            }
            let outcome = match meaning {
                Meaning::Attribute(attribute) => value::attribute(value, attribute)
                    .map(|value| told.attributes.push((attribute.slot, range.clone(), value))),
                Meaning::Variable(index) => self.names.variables.get(index).map_or(Ok(()), |(_, ty)| {
                    value::read(value, ty).map(|value| {
                        if let Some(place) = told.variables.get_mut(index) {
                            *place = Some(value);
                        }
                    })
                }),
            };
            if let Err(wrong) = outcome {
                self.wrong(Wrong { message: format!("`{name}`: {}", wrong.message), ..wrong });
            }
        }
    }
}

/// What a document says, before it is one bag.
#[derive(Debug, Default)]
struct Told {
    seen: HashSet<String>,
    attributes: Vec<bag::Fact>,
    variables: Vec<Option<Value<'static>>>,
}

fn unknown(names: &Names, name: &str, range: Range<usize>) -> Wrong {
    let message = format!("`{name}` is not declared");
    if names.begins(name) {
        let inside: Vec<&str> = names.all().filter(|other| other.starts_with(&format!("{name}."))).take(3).collect();
        let help = format!("write a mapping of what is inside, such as `{}`", inside.join("`, `"));
        return Wrong::new(range, format!("`{name}` is only the beginning of a name"), help);
    }
    if weir_attributes::lookup(name).is_some() && names.has_attributes() {
        return Wrong::new(range, format!("`{name}` is known only when the request is reported"), "add --all");
    }
    match nearest(name, names.all()) {
        Some(near) => Wrong::new(range, message, format!("did you mean `{near}`?")),
        None => Wrong::new(range, message, format!("declare it: --var '{name}=string'")),
    }
}

impl Document {
    pub(super) fn is_told(&self) -> bool {
        !self.place.is_empty()
    }
}

impl Given {
    pub(super) fn value(&self, index: usize) -> Option<&Value<'static>> {
        self.variables.get(index)?.as_ref()
    }

    /// The value of an attribute; none when it is absent. Headers that were not told are absent too.
    pub(super) fn attribute_value(&self, slot: Slot) -> Option<Value<'_>> {
        let empty = matches!(slot, slot::REQUEST_HEADERS | slot::REQUEST_HEADERS_ALL) && !self.known.contains(&slot);
        if empty { None } else { self.bag.get(slot).map(Value::from) }
    }
}

impl Activation for Given {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.bag.get(slot)
    }

    fn text(&self, slot: Slot) -> Option<&str> {
        self.bag.str(slot)
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.variables.get(index)?.clone()
    }
}

/// A request of which more may become known: what it does not tell is not absent.
pub(super) struct Early<'g>(pub(super) &'g Given, pub(super) &'g Names);

impl Activation for Early<'_> {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.0.attribute(slot)
    }

    fn text(&self, slot: Slot) -> Option<&str> {
        self.0.text(slot)
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.0.variable(index)
    }

    fn knows(&self, origin: Origin, _: Option<&str>) -> bool {
        match origin {
            Origin::Attribute(slot) => self.0.known.contains(&slot),
            Origin::Variable(index) => self.0.value(index).is_some(),
        }
    }
}
