//! A configuration that was accepted: its resources, and the way back from each to its line.

use std::ops::Range;

use weir_policy::document::{AdapterBinding, Document, Documents};
use weir_policy::{PolicySet, Problem};

use crate::adapter::Adapter;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::kind::Kind;
use crate::limits::MAX_DIAGNOSTICS;
use crate::source::{Sources, Version};
use crate::yaml::Fields;

/// A configuration that was accepted.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Which content this is.
    pub version: Version,
    /// What policies are made from. `check_adapters` is empty until [`Loaded::bind_check_adapters`].
    pub documents: Documents,
    /// The adapters, in the order of their files.
    pub adapters: Vec<Document<Adapter>>,
    /// What its author should know.
    pub warnings: Diagnostics,
    pub(crate) sources: Sources,
    pub(crate) origins: Vec<Origin>,
}

/// Where a resource comes from. Its index is the `id` of its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) file: usize,
    pub(crate) range: Range<usize>,
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Origin {
    /// For example `AuthorizationPolicy shop/deny-all`.
    pub(crate) fn label(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// Where the configuration of an adapter stands: its values are never shown.
const SECRET_FIELD: &str = "spec.config";

impl Loaded {
    /// The files that it was read from.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// How many resources it has.
    pub fn resources(&self) -> usize {
        self.origins.len()
    }

    /// How many policies it has, AuthorizationPolicies and CelPolicies: the `previous_policies` of the next candidate.
    pub fn policies(&self) -> usize {
        self.documents.authorization.len() + self.documents.cel.len()
    }

    /// For example `Adapter shop/deny-list`.
    pub fn resource(&self, id: usize) -> Option<String> {
        self.origins.get(id).map(Origin::label)
    }

    /// Where the resource begins.
    pub fn place(&self, id: usize) -> Option<Place> {
        let origin = self.origins.get(id)?;
        let text = self.sources.text(origin.file);
        let start = Fields::read(text, origin.range.clone()).find("kind", None).start;
        Some(Place::in_text(&self.sources.display_path(origin.file), text, start))
    }

    /// Says which adapters take part in checks; only their plugins know. Call it before [`Loaded::compile`].
    pub fn bind_check_adapters(&mut self, is_check: impl Fn(&Document<Adapter>) -> bool) {
        let checks = self.adapters.iter().filter(|adapter| is_check(adapter)).map(|adapter| AdapterBinding {
            id: adapter.id,
            name: format!("{}/{}", adapter.namespace, adapter.name),
            namespace: adapter.namespace.clone(),
            selector: adapter.spec.selector.clone(),
        });
        self.documents.check_adapters = checks.collect();
    }

    /// Compiles the policies. The engine and `weir check-config` both come here, so both say the same. The second value has
    /// all warnings, those of [`Loaded::warnings`] included.
    ///
    /// # Errors
    /// What is wrong with the policies, and the warnings with it.
    pub fn compile(&self) -> Result<(PolicySet, Diagnostics), Diagnostics> {
        self.compile_after(None)
    }

    /// As [`Loaded::compile`], taking from the set that it replaces what has not changed.
    ///
    /// # Errors
    /// As [`Loaded::compile`].
    pub fn compile_after(&self, previous: Option<&PolicySet>) -> Result<(PolicySet, Diagnostics), Diagnostics> {
        let all = |problems: &[Problem]| {
            let mut all = self.diagnose(problems);
            all.extend(self.warnings.iter().cloned());
            all
        };
        match weir_policy::compile_after(&self.documents, previous) {
            Ok((policies, problems)) => Ok((policies, all(&problems))),
            Err(problems) => Err(all(&problems)),
        }
    }

    /// Problems with fields become problems with lines. Problems with a document that is not here are about the whole folder.
    pub fn diagnose(&self, problems: &[Problem]) -> Diagnostics {
        let mut sorted: Vec<&Problem> = problems.iter().collect();
        // Errors first: only those that will be kept are worth a look at the file.
        sorted.sort_by_key(|problem| problem.severity != weir_policy::Severity::Error);
        let unseen = sorted.split_off(sorted.len().min(MAX_DIAGNOSTICS));
        sorted.sort_by_key(|problem| problem.document);
        let mut found = Vec::with_capacity(problems.len());
        // A document may have many problems: it is read again once.
        for of_one in sorted.chunk_by(|a, b| a.document == b.document) {
            let Some(id) = of_one.first().map(|problem| problem.document) else {
                continue;
            };
            match self.origins.get(id) {
                Some(origin) => {
                    let fields = Fields::read(self.sources.text(origin.file), origin.range.clone());
                    found.extend(of_one.iter().map(|problem| self.locate(problem, origin, &fields)));
                }
                None => {
                    let folder = self.sources.root().display().to_string();
                    found.extend(
                        of_one
                            .iter()
                            .map(|problem| graded(Diagnostic::whole(folder.clone(), &*problem.message), problem)),
                    );
                }
            }
        }
        found.extend(unseen.into_iter().map(|problem| graded(Diagnostic::whole("", ""), problem)));
        found.into_iter().collect()
    }

    fn locate(&self, problem: &Problem, origin: &Origin, fields: &Fields<'_>) -> Diagnostic {
        let range = fields.find(&problem.path, problem.span.clone());
        let file = self.sources.display_path(origin.file);
        let text = self.sources.text(origin.file);
        let is_secret = match origin.kind {
            Kind::Adapter => problem.path.starts_with(SECRET_FIELD),
            // Keys may be private by mistake, and a rule may be one line.
            Kind::RequestAuthentication => problem.path.ends_with(".jwks"),
            _ => false,
        };
        let diagnostic = if is_secret {
            Diagnostic::at_secret(&file, text, range, &*problem.message)
        } else {
            Diagnostic::at(&file, text, range, &*problem.message)
        };
        graded(diagnostic, problem).about(Some(origin.label()))
    }
}

fn graded(diagnostic: Diagnostic, problem: &Problem) -> Diagnostic {
    let diagnostic = diagnostic.help(problem.help.clone());
    match problem.severity {
        weir_policy::Severity::Error => diagnostic,
        weir_policy::Severity::Warning => diagnostic.warning(),
    }
}
